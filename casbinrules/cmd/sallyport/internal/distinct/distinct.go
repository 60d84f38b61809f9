// Package distinct makes lists without duplicates.
package distinct

import "slices"

// Add appends the values that are not in list yet.
func Add[T comparable](list []T, values ...T) []T {
	if len(values) < 32 { // too few to pay for a map
		for _, v := range values {
			if !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
		return list
	}
	have := make(map[T]bool, len(list)+len(values))
	for _, v := range list {
		have[v] = true
	}
	for _, v := range values {
		if !have[v] {
			have[v] = true
			list = append(list, v)
		}
	}
	return list
}
