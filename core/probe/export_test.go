package probe

// KeepConnections takes the service for one that does not run on this machine, to
// which connections are kept open.
func (c *Client) KeepConnections() { c.edge.name = "api.example" }

var (
	References = references
	SameHost   = sameHost
)
