package tokens

// Parse parses a refresh token; Grace is how long its first use counts as recent.
var Parse = parse

const Grace = grace
