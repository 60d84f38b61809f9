package jwttest

import ()

var formCases = []testCase{
	{"E21 megabytes and a million dots", floods},
}
