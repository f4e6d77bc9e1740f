"""Everything between a Request and its Response: retrying(checked(paced(authenticated(transport))))."""
