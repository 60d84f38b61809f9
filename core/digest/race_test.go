//go:build race

package digest

// raceSlack allows for the race detector, which drops pooled values at random.
const raceSlack = 4
