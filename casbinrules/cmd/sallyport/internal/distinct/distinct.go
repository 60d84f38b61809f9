// Package distinct makes lists without duplicates.
package distinct

import "slices"

// Add appends the values that are not in list yet. It compares each with all others, so
// it is for short lists.
func Add[T comparable](list []T, values ...T) []T {
	for _, v := range values {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}
