package setup

// options collects the options of a part that a file sets.
type options[O any] []O

// on adds an option without a value. The methods below add one for each value that is
// not empty.
func (o *options[O]) on(set bool, with func() O) {
	if set {
		*o = append(*o, with())
	}
}

func (o *options[O]) text(value string, with func(string) O) {
	if value != "" {
		*o = append(*o, with(value))
	}
}

func (o *options[O]) texts(values []string, with func(...string) O) {
	if len(values) > 0 {
		*o = append(*o, with(values...))
	}
}

func (o *options[O]) pairs(values map[string]string, with func(key, value string) O) {
	for key, value := range values {
		*o = append(*o, with(key, value))
	}
}
