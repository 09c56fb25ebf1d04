package graphtest

import (
	"net/http"
	"sync"
	"time"
)

// Fault is something that goes wrong with requests to Graph.
type Fault struct {
	// Match chooses requests; nil: all but $batch itself. In a $batch its parts are asked.
	Match func(r *http.Request) bool
	// Times is how often; 0: once, negative: always.
	Times int
	// Status, Code and Text are the answer. Code has a default by the status.
	Status int
	Code   string
	Text   string
	// RetryAfter is in the answer if it is more than 0.
	RetryAfter time.Duration
	// Drop ends the connection in the middle of the body of the real answer; with Bytes
	// after so many. Not in a $batch.
	Drop  bool
	Bytes int
	// Deny ends the connection before the request had any effect.
	Deny bool
	// Lost ends the connection after the request had its effect, without any answer.
	Lost bool
}

type faults struct {
	mu   sync.Mutex
	all  []*Fault
	hold chan struct{} // requests wait until it is closed
	// from begins a hold with the request for which it gives true; nil: none is to begin.
	from func(r *http.Request) bool
}

// Fail makes requests go wrong. The oldest fault that matches is taken.
func (n *Tenant) Fail(f Fault) {
	if f.Times == 0 {
		f.Times = 1
	}
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	n.faults.all = append(n.faults.all, &f)
}

// Throttle answers the next n requests with 429 and Retry-After.
func (n *Tenant) Throttle(times int, after time.Duration) {
	n.Fail(Fault{Times: times, Status: http.StatusTooManyRequests, Text: "Application is over its MailboxConcurrency limit.", RetryAfter: after})
}

// Heal ends all faults.
func (n *Tenant) Heal() {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	n.faults.all = nil
}

// Hold lets requests that come from now on wait, after they were counted, until the
// function that it gives is called.
func (n *Tenant) Hold() (release func()) {
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	if n.faults.hold == nil {
		n.faults.hold = make(chan struct{})
	}
	return n.faults.release
}

// HoldFrom begins a [Tenant.Hold] with the request that is the count-th to match. reached
// is closed then.
func (n *Tenant) HoldFrom(count int, match func(r *http.Request) bool) (reached <-chan struct{}, release func()) {
	begun := make(chan struct{})
	n.faults.mu.Lock()
	defer n.faults.mu.Unlock()
	n.faults.from = func(r *http.Request) bool {
		if !match(r) {
			return false
		}
		if count--; count > 0 {
			return false
		}
		close(begun)
		return true
	}
	return begun, n.faults.release
}

func (f *faults) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.from = nil
	if f.hold != nil {
		close(f.hold)
		f.hold = nil
	}
}

func (f *faults) wait(r *http.Request) {
	f.mu.Lock()
	if f.from != nil && f.from(r) {
		f.from = nil
		if f.hold == nil {
			f.hold = make(chan struct{})
		}
	}
	hold := f.hold
	f.mu.Unlock()
	if hold == nil {
		return
	}
	select {
	case <-hold:
	case <-r.Context().Done():
	}
}

// take gives the fault of a request, if it has one.
func (f *faults) take(r *http.Request) *Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n, x := range f.all {
		if x.Match != nil && !x.Match(r) {
			continue
		}
		if x.Times > 0 {
			if x.Times--; x.Times == 0 {
				f.all = append(f.all[:n:n], f.all[n+1:]...)
			}
		}
		return x
	}
	return nil
}

// codes are what Graph says with a status if nothing else is known.
var codes = map[int]string{
	400: "BadRequest", 401: "InvalidAuthenticationToken", 403: "ErrorAccessDenied", 404: "ErrorItemNotFound", 410: "resyncRequired", 429: "ApplicationThrottled",
	500: "InternalServerError", 502: "BadGateway", 503: "ServiceUnavailable", 504: "GatewayTimeout", 509: "BandwidthLimitExceeded",
}

func (f *Fault) failure() *failure {
	x := &failure{status: f.Status, code: f.Code, text: f.Text, retry: f.RetryAfter}
	if x.code == "" {
		x.code = codes[f.Status]
	}
	if x.text == "" {
		x.text = http.StatusText(f.Status)
	}
	return x
}

// Poison is how one item hurts. The statuses are those that people have reported: a
// failed conversion is a 500 that stays.
type Poison struct {
	Code   string
	Status int    // default by the code
	Text   string // default by the code
	// Where it hurts. If none is set: where the code of that name is known to.
	MIME, Read, List, Attachments bool
}

// The item errors that Graph passes on from Exchange.
const (
	MimeConversionFailed = "ErrorMimeContentConversionFailed" // $value, always
	ContentConversion    = "ErrorContentConversionFailed"     // reading the item; a list with it is a 500
	CorruptData          = "ErrorCorruptData"                 // everything but lists
	InvalidRecipients    = "ErrorInvalidRecipients"           // everything but lists
	CannotOpenAttachment = "ErrorCannotOpenFileAttachment"    // attachments
	ItemNotFound         = "ErrorItemNotFound"                // 404 although it is listed
	MessageSizeExceeded  = "ErrorMessageSizeExceeded"         // $value
	InternalError        = "ErrorInternalServerError"         // everything but lists
	AccessDenied         = "ErrorAccessDenied"                // everything but lists, 403
	ItemCorrupt          = "ErrorItemCorrupt"                 // everything but lists
)

// Poison makes an item one that cannot be had, until it is given none.
func (i *Item) Poison(p Poison) {
	i.box.tenant.mu.Lock()
	defer i.box.tenant.mu.Unlock()
	if p.Code == "" {
		i.poison = nil
		return
	}
	if !p.MIME && !p.Read && !p.List && !p.Attachments {
		switch p.Code {
		case MimeConversionFailed, MessageSizeExceeded:
			p.MIME = true
		case CannotOpenAttachment:
			p.Attachments = true
		case ContentConversion:
			p.MIME, p.Read, p.List = true, true, true
		default:
			p.MIME, p.Read, p.Attachments = true, true, true
		}
	}
	if p.Status == 0 {
		switch p.Code {
		case ItemNotFound:
			p.Status = 404
		case AccessDenied:
			p.Status = 403
		case InvalidRecipients, CannotOpenAttachment:
			p.Status = 400
		default:
			p.Status = 500
		}
	}
	if p.Text == "" {
		p.Text = map[string]string{
			MimeConversionFailed: "MIME content conversion failed.",
			ContentConversion:    "Content conversion failed., Content conversion: Body conversion failed.",
			CannotOpenAttachment: "OLE conversion failed for the attachment.",
			ItemNotFound:         "The specified object was not found in the store.",
			CorruptData:          "Data is corrupt.",
			InvalidRecipients:    "At least one recipient isn't valid.",
			AccessDenied:         "Access is denied. Check credentials and try again.",
		}[p.Code]
		set(&p.Text, "The item cannot be opened.")
	}
	i.poison = &p
}

// hurt is the error of an item if that way of asking for it has one.
func (i *Item) hurt(where func(p *Poison) bool) *failure {
	if i.poison == nil || !where(i.poison) {
		return nil
	}
	return &failure{status: i.poison.Status, code: i.poison.Code, text: i.poison.Text}
}
