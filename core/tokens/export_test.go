package tokens

// Parse reads a refresh token, and Grace is how long its first use is recent.
var Parse = parse

const Grace = grace
