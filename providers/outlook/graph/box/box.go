package box

import (
	"errors"
	"net/url"
	"strings"

	"keepwatch/providers/outlook"
	"keepwatch/providers/outlook/graph"
)

// lanes is how many calls for one mailbox the client makes at once
// (learn.microsoft.com/graph/throttling-limits#outlook-service-limits).
const lanes = 4

// Config is what a Box works with.
type Config struct {
	Client *graph.Client // required
}

// Box reads mailboxes. It is for use by many at once.
type Box struct{ client *graph.Client }

var _ outlook.Server = (*Box)(nil)

// New makes one. It makes no network call.
func New(c Config) (*Box, error) {
	if c.Client == nil {
		return nil, errors.New("box: a Config without Client")
	}
	return &Box{c.Client}, nil
}

// Lanes is how many calls for one mailbox may be made at once.
func (b *Box) Lanes() int { return lanes }

// of is the path of something in a mailbox; the parts are escaped.
func of(mailbox string, parts ...string) string {
	var p strings.Builder
	p.WriteString("/users/" + url.PathEscape(mailbox))
	for _, s := range parts {
		p.WriteString("/" + url.PathEscape(s))
	}
	return p.String()
}

// with adds options, of name and value in turn, to a path. Spaces are %20: not every part
// of Graph takes a plus sign for one.
func with(path string, options ...string) string {
	for i := 0; i+1 < len(options); i += 2 {
		sign := "&"
		if i == 0 {
			sign = "?"
		}
		path += sign + options[i] + "=" + strings.ReplaceAll(url.QueryEscape(options[i+1]), "+", "%20")
	}
	return path
}
