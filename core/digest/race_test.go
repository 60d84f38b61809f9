//go:build race

package digest

// raceSlack is what the race detector adds: it drops pooled values at random.
const raceSlack = 4
