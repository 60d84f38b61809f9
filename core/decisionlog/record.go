package decisionlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// Version is the version of the line format. Readers refuse other versions. Keys
// may be added within a version.
const Version = 1

// The kinds of records.
const (
	KindOpen     = "open"
	KindDecision = "decision"
	KindDropped  = "dropped"
	KindHead     = "head"
	KindClose    = "close"
)

// Record is one line of a log. Of the pointers only the one for its kind is set.
type Record struct {
	Version int `json:"v"`
	// Kind is KindOpen, KindDecision, KindDropped, KindHead or KindClose.
	Kind string `json:"kind"`
	// Seq counts the lines of a log from 1, through all of its files.
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`

	// Of decisions: see the fields of [core.Event].
	Outcome  core.Outcome `json:"outcome,omitempty"`
	Status   int          `json:"status,omitempty"`
	Reason   core.Reason  `json:"reason,omitempty"`
	Gate     string       `json:"gate,omitempty"`
	Scheme   string       `json:"scheme,omitempty"`
	Rule     string       `json:"rule,omitempty"`
	Revision string       `json:"revision,omitempty"`
	Request  *Request     `json:"request,omitempty"`
	// Duration is in microseconds.
	Duration  int64  `json:"duration_us,omitempty"`
	Client    string `json:"client,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	TraceID   string `json:"trace_id,omitempty"`
	Cause     string `json:"cause,omitempty"`

	Open    *Opening `json:"open,omitempty"`
	Dropped *Dropped `json:"dropped,omitempty"`
	Head    *Head    `json:"head,omitempty"`
	Close   *Closing `json:"close,omitempty"`

	// Chain is the hash of the line and of all before it, in hexadecimal; "" for
	// a log without a chain.
	Chain string `json:"chain,omitempty"`
}

// Request says who asked for what.
type Request struct {
	// Principal is "" while it is unknown, and for a request without credentials.
	Principal string `json:"principal,omitempty"`
	Tenant    string `json:"tenant,omitempty"`
	// TokenRoles are the roles in the credentials, PolicyRoles those that the
	// policy or another source of roles added.
	TokenRoles  []string `json:"token_roles,omitempty"`
	PolicyRoles []string `json:"policy_roles,omitempty"`
	Method      string   `json:"method"`
	// Action is the action that the rules decided on; "" if no rule was asked.
	Action string `json:"action,omitempty"`
	// Name is the name that the application gave the resource, if any, Route the
	// matched pattern and Resource the canonical path.
	Name     string `json:"name,omitempty"`
	Route    string `json:"route,omitempty"`
	Resource string `json:"resource,omitempty"`
	// Folded is the length of the prefix of Resource that may have been in another
	// letter case, and Readings the number of further resources that the request
	// could have been for.
	Folded   int `json:"folded,omitempty"`
	Readings int `json:"readings,omitempty"`
	// Cut reports that a text was too long and is truncated.
	Cut        bool              `json:"cut,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// Opening begins each file, and each run of a process.
type Opening struct {
	// Why is "start", "rotation" or "reopen".
	Why string `json:"why"`
	// Run is a random identifier of the run.
	Run string `json:"run"`
	// SampleRate is the share of allowed requests that is written.
	SampleRate float64 `json:"sample_rate"`
	// QueueSize is the number of decisions that may wait to be written, and
	// BatchSize the number written at once.
	QueueSize int `json:"queue_size"`
	BatchSize int `json:"batch_size"`
	// Unclean reports that the previous run did not end regularly: it may have lost
	// up to LostAtMost decisions. Cut is the text of its last, incomplete line.
	Unclean    bool   `json:"unclean,omitempty"`
	LostAtMost int    `json:"lost_at_most,omitempty"`
	Cut        string `json:"cut,omitempty"`
	// Signed names the key that signs heads, by algorithm and identifier.
	Signed string `json:"signed,omitempty"`
	// HeadFile is the file next to the log that also holds the last head.
	HeadFile string `json:"head_file,omitempty"`
	// Previous is the hash of the previous line; zeros at the start of the chain.
	Previous string `json:"previous,omitempty"`
}

// Dropped says how many decisions were not written since the last such record:
// those that found the queue full, and those that could not be written.
type Dropped struct {
	QueueFull   uint64 `json:"queue_full"`
	WriteFailed uint64 `json:"write_failed"`
}

// Head vouches for all lines up to one.
type Head struct {
	// Of is the number of the line, and Chain its hash.
	Of    uint64 `json:"of"`
	Chain string `json:"chain"`
	// Algorithm is "Ed25519" or "HMAC-SHA-256", and Key an identifier.
	Algorithm string `json:"alg"`
	Key       string `json:"key"`
	Signature []byte `json:"signature"`
	// Final reports that the run has ended regularly.
	Final bool `json:"final,omitempty"`
}

// Closing ends a run, with the counts of its decisions.
type Closing struct {
	Written     uint64 `json:"written"`
	QueueFull   uint64 `json:"queue_full"`
	WriteFailed uint64 `json:"write_failed"`
}

// Parse parses one line.
func Parse(line []byte) (*Record, error) {
	r := new(Record)
	if err := json.Unmarshal(line, r); err != nil {
		return nil, fmt.Errorf("not a line of a decision log: %w", err)
	}
	if r.Version != Version {
		return nil, fmt.Errorf("decision log of version %d: this program reads version %d", r.Version, Version)
	}
	if r.Kind == "" || r.Seq == 0 {
		return nil, errors.New("not a line of a decision log: it has no kind or no number")
	}
	return r, nil
}
