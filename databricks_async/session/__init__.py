"""Everything between a Request and its Response: retrying(paced(authenticated(transport)))."""
