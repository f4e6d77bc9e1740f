"""The local workspace's HTTP side: sockets, routes, parameters, who asks."""
