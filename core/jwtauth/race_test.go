//go:build race

package jwtauth_test

// raceSlack is what the race detector adds: it drops pooled values at random.
const raceSlack = 6
