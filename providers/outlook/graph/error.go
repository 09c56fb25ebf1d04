package graph

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kinds of *Error, for errors.Is.
var (
	// ErrNotFound: what was asked for does not exist (any more).
	ErrNotFound = errors.New("not found in Microsoft 365")
	// ErrResync: a delta token no longer serves; the folder is to be read from its beginning.
	ErrResync = errors.New("the state of the delta query has gone")
	// ErrDenied: the application may not do it, or a licence is missing.
	ErrDenied = errors.New("denied by Microsoft 365")
	// ErrThrottled: too many calls, still so after every further try.
	ErrThrottled = errors.New("throttled by Microsoft 365")
	// ErrUnconvertible: the item cannot be had in this form.
	ErrUnconvertible = errors.New("the item cannot be converted")
	// ErrUnreachable: no answer, or one that broke off; the call may have had its effect.
	ErrUnreachable = errors.New("no answer from Microsoft 365")
	// ErrTooLarge: an answer was longer than the caller allows.
	ErrTooLarge = errors.New("the answer is too large")
	// ErrOtherHost: a link leads elsewhere than to Graph, and was not followed.
	ErrOtherHost = errors.New("the link leads to another host")
	// ErrExists: what was to be made is there.
	ErrExists = errors.New("exists in Microsoft 365")
)

// codes are those of Graph and Exchange that tell more than the status. Sources:
// learn.microsoft.com/graph/errors, /graph/delta-query-overview, and what other mailbox
// backups have met (ErrorCorruptData, ErrorCannotOpenFileAttachment, ErrorInvalidRecipients).
var codes = map[string]error{
	"ErrorItemNotFound": ErrNotFound, "ErrorFolderNotFound": ErrNotFound, "ResourceNotFound": ErrNotFound, "Request_ResourceNotFound": ErrNotFound,
	"ErrorInvalidUser": ErrNotFound, "ErrorNonExistentMailbox": ErrNotFound, "MailboxNotEnabledForRESTAPI": ErrNotFound, "ErrorAttachmentNotFound": ErrNotFound,

	"syncStateNotFound": ErrResync, "SyncStateInvalid": ErrResync, "ResyncRequired": ErrResync, "resyncRequired": ErrResync, "ErrorSyncFolderNotFound": ErrResync,
	"SyncStateNotFound": ErrResync, "ErrorInvalidSyncStateData": ErrResync,

	"ErrorAccessDenied": ErrDenied, "Authorization_RequestDenied": ErrDenied, "accessDenied": ErrDenied, "AccessDenied": ErrDenied, "Forbidden": ErrDenied,
	"Authentication_MSGraphPermissionMissing": ErrDenied, "Authentication_RequestFromNonPremiumTenantOrB2CTenant": ErrDenied,
	"MailboxNotSupportedForRESTAPI": ErrDenied, "ErrorAccountDisabled": ErrDenied,

	"ApplicationThrottled": ErrThrottled, "TooManyRequests": ErrThrottled, "ErrorTooManyRequests": ErrThrottled, "activityLimitReached": ErrThrottled,

	"ErrorMimeContentConversionFailed": ErrUnconvertible, "ErrorCorruptData": ErrUnconvertible, "ErrorInvalidRecipients": ErrUnconvertible,
	"ErrorCannotOpenFileAttachment": ErrUnconvertible, "ErrorMimeContentInvalid": ErrUnconvertible, "ErrorUnsupportedMimeConversion": ErrUnconvertible,
	"ErrorPropertyValidationFailure": ErrUnconvertible, "ErrorContentConversionFailed": ErrUnconvertible,

	"ErrorFolderExists": ErrExists, "ErrorItemExists": ErrExists, "nameAlreadyExists": ErrExists, "ErrorDuplicateTransactionId": ErrExists,
}

// passing are codes of faults that go away, whatever the status that they come with.
var passing = []string{
	"ErrorInternalServerTransientError", "ErrorServerBusy", "ErrorTimeoutExpired", "ErrorMailboxStoreUnavailable", "ErrorMailboxMoveInProgress",
	"ErrorConnectionFailed", "ErrorExceededConnectionCount", "ErrorBatchProcessingStopped", "generalException", "serviceNotAvailable", "UnknownError",
}

// Error is an answer of Graph, or of the sign-in, that is none of success. Its texts are
// free of tokens and secrets.
type Error struct {
	Status     int      // of HTTP; 0: there was no answer
	Code       string   // the outer one
	Inner      []string // codes of the inner errors, outermost first
	Message    string   // the vendor's
	RequestID  string   // the vendor's, for its support
	ClientID   string   // the client-request-id that was sent
	RetryAfter time.Duration
	Method     string
	Path       string // without the query, which can hold tokens of state
	Location   string // of a 410: where to begin anew; of the same origin, else ""
	SignIn     bool   // the token was refused, not the call

	unsent bool // the call itself never left
	whole  bool // the fence is to be the application's
	cause  error
}

// Error gives all that a log needs.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", e.Method, e.Path)
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	b.WriteString(strings.Join(append([]string{e.Code}, e.Inner...), "/"))
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.RequestID != "" || e.ClientID != "" {
		fmt.Fprintf(&b, " (request-id %s, client-request-id %s)", e.RequestID, e.ClientID)
	}
	return b.String()
}

// Unwrap gives the cause where there was no answer.
func (e *Error) Unwrap() error { return e.cause }

// hushed is an error of the network, which errors.Is and errors.As still find, with a text
// that was scrubbed.
type hushed struct {
	text  string
	under error
}

func (h *hushed) Error() string { return h.text }

// Is looks at what is hushed.
func (h *hushed) Is(target error) bool { return errors.Is(h.under, target) }

// As looks at what is hushed.
func (h *hushed) As(target any) bool { return errors.As(h.under, target) }

func (c *Client) hush(err error) error {
	return &hushed{short(c.tokens.scrub(err.Error()), 300), err}
}

// Is tells the kinds. The codes go before the status, because Exchange gives one status
// for many things.
func (e *Error) Is(target error) bool { return e.kind() == target }

func (e *Error) kind() error {
	for _, code := range slices.Backward(append([]string{e.Code}, e.Inner...)) {
		if k := codes[code]; k != nil {
			return k
		}
	}
	switch e.Status {
	case 0:
		return ErrUnreachable
	case http.StatusNotFound:
		return ErrNotFound
	case http.StatusGone:
		return ErrResync
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrDenied
	case http.StatusTooManyRequests:
		return ErrThrottled
	case http.StatusConflict:
		return ErrExists
	}
	return nil
}

// passes reports whether the same call may succeed later without anybody doing anything.
func (e *Error) passes() bool {
	switch e.Status {
	case 0, http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return e.Status >= 500 && e.kind() == nil && slices.ContainsFunc(append([]string{e.Code}, e.Inner...), func(code string) bool { return slices.Contains(passing, code) })
}

// slow reports whether the call took longer than the vendor or we allow, so that a
// smaller page may help.
func (e *Error) slow() bool {
	return e.Status == http.StatusGatewayTimeout || e.Status == http.StatusRequestTimeout || e.Code == codeTimeout || slices.Contains(e.Inner, "ErrorTimeoutExpired") || e.Code == "ErrorTimeoutExpired"
}

// codeTimeout and codeBroken are ours, where there was no answer.
const (
	codeTimeout = "timeout"
	codeBroken  = "connection"
)

// errorBody is {"error":{"code","message","innerError":{…}}}; the case of innerError
// differs between services.
type errorBody struct {
	Code    string     `json:"code"`
	Message string     `json:"message"`
	Inner   *errorBody `json:"innerError"`
	ID      string     `json:"request-id"`
}

// mostError is how much of an answer that is none of success is read.
const mostError = 64 << 10

// readError makes an Error from an answer. It does not close the body.
func (c *Client) readError(status int, header http.Header, body io.Reader) *Error {
	e := &Error{
		Status: status, Code: strconv.Itoa(status), RequestID: short(header.Get("request-id"), 64),
		RetryAfter: retryAfter(header.Get("Retry-After"), c.clock.Now()), Location: header.Get("Location"),
	}
	data, err := io.ReadAll(io.LimitReader(body, mostError))
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	var told errorBody
	if err == nil && json.Unmarshal(data, &answer) == nil && json.Unmarshal(answer.Error, &told) == nil {
		e.Code, e.Message = short(c.tokens.scrub(or(told.Code, e.Code)), 100), short(c.tokens.scrub(told.Message), 500)
		for in, depth := told.Inner, 0; in != nil && depth < 5; in, depth = in.Inner, depth+1 {
			if in.Code != "" {
				e.Inner = append(e.Inner, short(c.tokens.scrub(in.Code), 100))
			}
			e.RequestID = or(e.RequestID, short(in.ID, 64))
		}
	}
	e.whole = ofApplication(header, e)
	if status == http.StatusUnauthorized && e.Message == "" {
		e.Message = short(c.tokens.scrub(header.Get("WWW-Authenticate")), 200)
	}
	return e
}

// ofApplication reports whether a refusal is about all calls of the application. Outlook
// says "Application is over its MailboxConcurrency limit" of a single mailbox; services
// that limit the application or the tenant say so in x-ms-throttle-scope
// (learn.microsoft.com/graph/throttling).
func ofApplication(header http.Header, e *Error) bool {
	scope := strings.ToLower(header.Get("x-ms-throttle-scope"))
	if scope != "" {
		return strings.Contains(scope, "application") || strings.HasPrefix(scope, "tenant")
	}
	message := strings.ToLower(e.Message)
	return e.Status == http.StatusTooManyRequests && !strings.Contains(message, "mailbox") &&
		(strings.Contains(message, "application is over") || strings.Contains(message, "application limit") || strings.Contains(message, "tenant"))
}

// retryAfter reads seconds or a date; 0 where there is neither. A fraction is rounded up.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if s, err := strconv.ParseFloat(text, 64); err == nil && s > 0 && s < 1e7 {
		return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
	}
	if t, err := http.ParseTime(text); err == nil && t.After(now) {
		return t.Sub(now) + time.Second // the date is without fractions
	}
	return 0
}

// short cuts a text of the vendor's and takes its line ends and control signs out.
func short(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
