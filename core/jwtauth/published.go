package jwtauth

import (
	"errors"
	"fmt"
)

const (
	// maxPublished is how many keys of a published set are used.
	maxPublished = 1000
	// maxSkipped is how many skipped keys are named.
	maxSkipped = 20
)

// parsePublished parses a JWK set that somebody else maintains. A key that cannot
// be used is skipped (RFC 7517 §5), and so are all keys with the same kid, since a
// token could not say which one it means. The resulting set may be empty.
func (r *setReader) parsePublished(data []byte, maxSize int) (set *KeySet, skipped []error, err error) {
	elements, err := elementsOf(data, maxSize)
	if err != nil {
		return nil, nil, err
	}
	skip := func(i int, kid string, err error) {
		if len(skipped) < maxSkipped {
			skipped = append(skipped, fmt.Errorf("key %d (kid %q): %w", i+1, kid, err))
		}
	}
	set = &KeySet{byID: map[string][]*Key{}}
	found := make([]*Key, len(elements))
	count := map[string]int{}
	for i, e := range elements {
		kid, key, err := r.published(e)
		if err != nil {
			skip(i, kid, err)
			continue
		}
		found[i] = key
		count[key.id]++
	}
	for i, key := range found {
		switch {
		case key == nil:
		case key.id != "" && count[key.id] > 1:
			skip(i, key.id, errors.New("this kid is in the set more than once"))
		case len(set.all) == maxPublished:
			return nil, nil, fmt.Errorf("more than %d keys", maxPublished)
		default:
			set.all = append(set.all, key)
			if key.id != "" {
				set.byID[key.id] = []*Key{key}
			}
		}
	}
	return set, skipped, nil
}

// published makes a key from one element of a set.
func (r *setReader) published(element any) (kid string, key *Key, err error) {
	members, ok := element.(map[string]any)
	if !ok {
		return "", nil, errors.New("not an object")
	}
	if key, err = r.key(members); err == nil && key.key.Secret() {
		err = errors.New("a secret must not be published")
	}
	return keyID(members), key, err
}
