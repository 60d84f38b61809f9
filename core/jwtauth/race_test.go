//go:build race

package jwtauth_test

// raceSlack allows for the race detector, which drops pooled values at random.
const raceSlack = 6
