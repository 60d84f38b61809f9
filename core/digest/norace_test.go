//go:build !race

package digest

const raceSlack = 0
