package model

import "strings"

// composable are the letters with which a combining mark is one character in Unicode
// normalization form C (UAX #15): those of Latin, Greek, Cyrillic and Japanese.
var composable = map[rune]string{
	0x0300: "AEINOUWYaeinouwyΑΕΗΙΟΥΩαεηιουωЕИеи",
	0x0301: "ACEGIKLMNOPRSUWYZacegiklmnoprsuwyzÆØæøΑΕΗΙΟΥΩαεηιουωГКгк",
	0x0302: "ACEGHIJOSUWYZaceghijosuwyz",
	0x0303: "AEINOUVYaeinouvy",
	0x0304: "AEGIOUYaegiouyÆæΑΙΥαιυИУиу",
	0x0306: "AEGIOUaegiouΑΙΥαιυАЕЖИУаежиу",
	0x0307: "ABCDEFGHIMNOPRSTWXYZabcdefghmnoprstwxyz",
	0x0308: "AEHIOUWXYaehiotuwxyΙΥιυІАЕЖЗИОУЧЫЭаежзиоучыэіӘәӨө",
	0x0309: "AEIOUYaeiouy",
	0x030A: "AUauwy",
	0x030B: "OUouУу",
	0x030C: "ACDEGHIKLNORSTUZacdeghijklnorstuzƷʒ",
	0x030F: "AEIORUaeioruѴѵ",
	0x0311: "AEIORUaeioru",
	0x0313: "ΑΕΗΙΟΩαεηιορυω",
	0x0314: "ΑΕΗΙΟΡΥΩαεηιορυω",
	0x031B: "OUou",
	0x0323: "ABDEHIKLMNORSTUVWYZabdehiklmnorstuvwyz",
	0x0324: "Uu",
	0x0325: "Aa",
	0x0326: "STst",
	0x0327: "CDEGHKLNRSTcdeghklnrst",
	0x0328: "AEIOUaeiou",
	0x032D: "DELNTUdelntu",
	0x032E: "Hh",
	0x0330: "EIUeiu",
	0x0331: "BDKLNRTZbdhklnrtz",
	0x3099: "うかきくけこさしすせそたちつてとはひふへほゝウカキクケコサシスセソタチツテトハヒフヘホワヰヱヲヽ",
	0x309A: "はひふへほハヒフヘホ",
}

// Decomposed returns the index of the first letter of a text that is written with a
// combining mark, or as parts of a Korean syllable, although normalization form C has one
// character for it; -1 if there is none.
func Decomposed(text string) int {
	at, before := 0, rune(0)
	for i, c := range text {
		if c >= 0x300 && (strings.ContainsRune(composable[c], before) || isVowelBehind(before, c)) {
			return at
		}
		at, before = i, c
	}
	return -1
}

// isVowelBehind reports whether a consonant and a vowel of Korean make a syllable.
func isVowelBehind(consonant, vowel rune) bool {
	return 0x1100 <= consonant && consonant <= 0x1112 && 0x1161 <= vowel && vowel <= 0x1175
}
