//go:build !race

package core_test

const raceSlack = 0
