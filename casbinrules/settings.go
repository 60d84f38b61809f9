package casbinrules

// settings are the options that say what a model and its policy mean.
type settings struct {
	anonymous    bool
	emptyPolicy  bool
	objectRoute  bool
	noTokenRoles bool
	rolePrefix   string
	asCasbin     bool
	// filled are the request fields that options fill; with anyAttribute all
	// others are filled, too.
	filled       map[string]bool
	anyAttribute bool
	// attributeTypes are those declared; the others are texts.
	attributeTypes map[string]AttributeType
	functions      map[string]matcherFunction
	aliases        map[string]string // names of functions to Casbin's own
	pace           *pace             // of a load beside requests
}
