//go:build !race

package jwtauth_test

const raceSlack = 0
