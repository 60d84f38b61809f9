package probe

// KeepConnections treats the service as remote, so that connections are reused.
func (c *Client) KeepConnections() { c.edge.name = "api.example" }

var (
	References = references
	SameHost   = sameHost
)
