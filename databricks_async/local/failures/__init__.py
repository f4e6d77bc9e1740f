"""What failures look like on the wire, and how they are written down: without anything that makes them happen."""
