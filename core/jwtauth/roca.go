package jwtauth

import (
	"math/big"
	"sync"
)

// A library in chips made RSA primes as k·M + (65537^a mod M), M being the product
// of the first primes, and such moduli can be factored (CVE-2017-15361, "The Return
// of Coppersmith's Attack", Nemec and others 2017, §2). For each small prime, the
// modulus is then congruent to a power of 65537. Among all other moduli one in 2^28
// is so by chance.
const (
	rocaGenerator = 65537
	// rocaLargest is the largest small prime in the product for the shortest keys,
	// of 512 bits; the product for longer ones has more.
	rocaLargest = 167
)

// rocaResidues maps each small prime for which not all residues are powers of the
// generator to those that are.
var rocaResidues = sync.OnceValue(func() map[int64][]bool {
	residues := map[int64][]bool{}
	for p := int64(3); p <= rocaLargest; p += 2 {
		if !big.NewInt(p).ProbablyPrime(0) {
			continue
		}
		powers, count := make([]bool, p), int64(0)
		for r := int64(1); !powers[r]; r = r * (rocaGenerator % p) % p {
			powers[r] = true
			count++
		}
		if count < p-1 {
			residues[p] = powers
		}
	}
	return residues
})

// isROCA reports whether a modulus has the fingerprint of such a key.
func isROCA(n *big.Int) bool {
	var small, rest big.Int
	for p, powers := range rocaResidues() {
		if !powers[rest.Mod(n, small.SetInt64(p)).Int64()] {
			return false
		}
	}
	return true
}
