package mtls

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/core"
)

// Headers of RFC 9440 §2.
const (
	headerCert  = "Client-Cert"
	headerChain = "Client-Cert-Chain"
)

const (
	// maxHeader is the maximum length of a header that is decoded. Certificates
	// have one or two KiB, and proxies rarely accept header lines of more than 16.
	maxHeader = 32 << 10
	// maxChain is the maximum number of intermediate certificates.
	maxChain = 8
)

// forwarded is what a proxy says about the client's certificate.
type forwarded struct {
	certificate   *x509.Certificate
	intermediates []*x509.Certificate
}

// single returns the value of a header that must not occur twice.
func single(r core.Request, name string) (string, error) {
	value, n := r.Header(name)
	switch {
	case n > 1:
		return "", fmt.Errorf("mtls: %w: %d lines of %s", core.ErrAmbiguousCredentials, n, name)
	case len(value) > maxHeader:
		return "", malformed(name, fmt.Errorf("%d bytes, at most %d are accepted", len(value), maxHeader))
	}
	return value, nil
}

// readClientCert parses the headers of RFC 9440. §2.3 allows the chain on several
// lines; since a request returns only the first, that is refused.
func readClientCert(r core.Request) (*forwarded, error) {
	value, err := single(r, headerCert)
	if err != nil {
		return nil, err
	}
	chain, err := single(r, headerChain)
	if err != nil {
		return nil, err
	}
	if value == "" {
		return nil, core.ErrNoCredentials
	}
	f := new(forwarded)
	if f.certificate, err = byteSequence(value); err != nil {
		return nil, malformed(headerCert, err)
	}
	if chain == "" {
		return f, nil
	}
	if strings.Count(chain, ",") >= maxChain {
		return nil, malformed(headerChain, fmt.Errorf("more than %d certificates", maxChain))
	}
	for item := range strings.SplitSeq(chain, ",") { // base64 has no comma
		c, err := byteSequence(strings.Trim(item, " \t"))
		if err != nil {
			return nil, malformed(headerChain, err)
		}
		f.intermediates = append(f.intermediates, c)
	}
	return f, nil
}

// byteSequence parses a DER certificate in a Byte Sequence (RFC 9651 §3.3.5).
func byteSequence(s string) (*x509.Certificate, error) {
	s, begins := strings.CutPrefix(s, ":")
	s, ends := strings.CutSuffix(s, ":")
	if !begins || !ends {
		return nil, errors.New("not a byte sequence between colons")
	}
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("a line break in base64") // which the decoder would skip
	}
	der, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// readNginx parses the headers of nginx. $ssl_client_verify is SUCCESS,
// FAILED:reason or NONE.
func readNginx(r core.Request, certName, verifyName string) (*forwarded, error) {
	escaped, err := single(r, certName)
	if err != nil {
		return nil, err
	}
	verify, err := single(r, verifyName)
	if err != nil {
		return nil, err
	}
	switch {
	case escaped == "" && (verify == "" || verify == "NONE"):
		return nil, core.ErrNoCredentials
	case verify != "SUCCESS":
		return nil, refused(core.ReasonUnknownKey, fmt.Errorf("mtls: the proxy reports %.64q for the certificate, want SUCCESS", verify))
	}
	text, err := url.PathUnescape(escaped) // "+" is base64, not a space
	if err != nil {
		return nil, malformed(certName, errors.New("not percent-encoded"))
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || !strings.HasPrefix(text, "-----BEGIN ") || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return nil, malformed(certName, errors.New("not one certificate in PEM"))
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, malformed(certName, err)
	}
	return &forwarded{certificate: c}, nil
}

func malformed(name string, err error) error {
	return refused(core.ReasonMalformed, fmt.Errorf("mtls: %s: %w", name, err))
}
