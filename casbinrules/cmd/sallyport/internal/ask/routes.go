package ask

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/core"
)

const routesForm = `it holds a list such as [{"method": "GET", "pattern": "/reports/:id"}]`

// ParseRoutes parses the routes of an application from JSON, as listed by Routes of an
// adapter.
func ParseRoutes(text []byte) ([]core.RouteInfo, error) {
	var routes []core.RouteInfo
	if err := json.Unmarshal(text, &routes); err != nil {
		return nil, fmt.Errorf("%w; %s", err, routesForm)
	}
	for i, r := range routes {
		if r.Method == "" || r.Pattern == "" {
			return nil, fmt.Errorf("route %d has no method or no pattern; %s", i+1, routesForm)
		}
	}
	if len(routes) == 0 {
		return nil, errors.New("there is no route; " + routesForm)
	}
	return routes, nil
}
