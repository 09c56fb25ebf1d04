package when

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

// kind is the sort of a token.
type kind uint8

const (
	tWord    kind = iota // a word, or a sign: "," "-" "&" "@"
	tNumber              // 9
	tOrdinal             // 3rd
	tClock               // 9:30, 9am, noon
	tSpan                // 90min, 1h30m
	tDate                // 2026-12-03
	tSlashed             // 03/04, 3.12.2026: days and months whose order is to be found out
	tInstant             // 2026-12-03T14:00:00Z
)

// token is one piece of what somebody wrote.
type token struct {
	kind    kind
	text    string // in lower case
	n       int    // of a number and an ordinal
	clock   clock
	spans   []span
	y, m, d int // of a date; of tSlashed y is 0 where none stands, and m and d are as they come
	at      time.Time
}

// clock is a time of day. midnight: it was called that, and does not say whether of
// the day's beginning or of its end.
type clock struct {
	h, m     int
	midnight bool
}

func (c clock) String() string { return clockText(c.h, c.m) }

// span is a number of units of time.
type span struct {
	n int
	u unit
}

// lex cuts words in lower case into tokens.
func lex(words []string) ([]token, error) {
	var toks []token
	for _, w := range words {
		for w != "" {
			i := strings.IndexByte(w, ',')
			if i < 0 {
				i = len(w)
			}
			if i > 0 {
				piece, err := lexWord(w[:i])
				if err != nil {
					return nil, err
				}
				toks = append(toks, piece...)
			}
			if i == len(w) {
				break
			}
			toks = append(toks, token{text: ","})
			w = w[i+1:]
		}
	}
	return joinHalves(toks)
}

// joinHalves makes one token of "9 am", and of "9 o'clock".
func joinHalves(toks []token) ([]token, error) {
	var out []token
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		if i+1 < len(toks) && (t.kind == tNumber || t.kind == tClock) {
			switch half := strings.ReplaceAll(toks[i+1].text, ".", ""); half {
			case "am", "pm":
				joined, ok := lexClock(t.text + half)
				if !ok {
					return nil, noTime(t.text + " " + half)
				}
				t, i = joined, i+1
			case "o'clock":
				joined, ok := lexClock(t.text + ":00")
				if !ok {
					return nil, noTime(t.text + " o'clock")
				}
				t, i = joined, i+1
			}
		}
		out = append(out, t)
	}
	return out, nil
}

func noTime(said string) error {
	return refuse("%s is no time of day: write one of 24 hours, such as %s.", quote(said), quote("every day at 14:30"))
}

func lexWord(w string) ([]token, error) {
	w = strings.NewReplacer("–", "-", "—", "-", "’", "'").Replace(w)
	if stripped := strings.TrimRight(w, ".;"); stripped != "" && !strings.HasSuffix(w, ".m.") {
		w = stripped
	}
	digit := w[0] >= '0' && w[0] <= '9'
	switch {
	case w == "noon" || w == "midday":
		return []token{{kind: tClock, text: w, clock: clock{h: 12}}}, nil
	case w == "midnight":
		return []token{{kind: tClock, text: w, clock: clock{midnight: true}}}, nil
	case w[0] == '@' && len(w) > 1:
		rest, err := lexWord(w[1:])
		return append([]token{{text: "@"}}, rest...), err
	case !digit:
		return lexNames(w), nil
	}
	if n, ok := number(w); ok {
		return []token{{kind: tNumber, text: w, n: n}}, nil
	}
	if t, ok := lexClock(w); ok {
		return []token{t}, nil
	}
	if strings.Contains(w, ":") && !strings.Contains(w, "-") {
		return nil, noTime(w)
	}
	if toks, ok, err := lexISO(w); ok || err != nil {
		return toks, err
	}
	if t, ok := lexSlashed(w); ok {
		return []token{t}, nil
	}
	if n, ok := number(strings.TrimRight(w, "stndrh")); ok && len(w) > 2 && strings.Contains("st nd rd th", strings.TrimLeft(w, "0123456789")) {
		return []token{{kind: tOrdinal, text: w, n: n}}, nil
	}
	if t, ok := lexSpan(w); ok {
		return []token{t}, nil
	}
	if strings.Count(w, "-") > 0 { // 3-dec-2026
		var toks []token
		for piece := range strings.SplitSeq(w, "-") {
			if n, ok := number(piece); ok {
				toks = append(toks, token{kind: tNumber, text: piece, n: n})
			} else if _, ok := monthOf(piece); ok {
				toks = append(toks, token{text: piece})
			} else {
				return []token{{text: w}}, nil
			}
		}
		return toks, nil
	}
	return []token{{text: w}}, nil
}

// lexNames cuts "mon-fri" and "mon/wed/fri" apart, where each piece is a word.
func lexNames(w string) []token {
	for _, sign := range []string{"-", "/", "&"} {
		pieces := strings.Split(w, sign)
		if len(pieces) == 1 || w == sign {
			continue
		}
		var toks []token
		for i, piece := range pieces {
			if !known(piece) || piece == "" {
				return []token{{text: w}}
			}
			if i > 0 {
				toks = append(toks, token{text: map[string]string{"-": "-", "/": ",", "&": ","}[sign]})
			}
			toks = append(toks, token{text: piece})
		}
		return toks
	}
	return []token{{text: w}}
}

// lexClock reads 9:30, 9:30pm and 9am. 12am is midnight and 12pm noon, as on clocks.
func lexClock(w string) (token, bool) {
	body, half := w, ""
	for _, suffix := range []string{"am", "pm"} {
		if b, ok := strings.CutSuffix(w, suffix); ok {
			body, half = b, suffix
		}
	}
	hText, mText, colon := strings.Cut(body, ":")
	if !colon && half == "" {
		return token{}, false
	}
	if rest, ok := strings.CutSuffix(mText, ":00"); ok {
		mText = rest // seconds, of which there are none
	}
	h, ok := number(hText)
	m := 0
	if colon {
		var mOK bool
		m, mOK = number(mText)
		ok = ok && mOK && len(mText) == 2
	}
	if !ok || len(hText) > 2 || m > 59 || h > 23 || half != "" && (h < 1 || h > 12) {
		return token{}, false
	}
	if half != "" {
		h %= 12
		if half == "pm" {
			h += 12
		}
	}
	return token{kind: tClock, text: w, clock: clock{h: h, m: m}}, true
}

// lexISO reads 2026-12-03, with or without a time behind a "t", and that with or
// without a distance from UTC.
func lexISO(w string) (toks []token, ok bool, err error) {
	datePart, clockPart, timed := strings.Cut(w, "t")
	pieces := strings.Split(datePart, "-")
	if len(pieces) != 3 || len(pieces[0]) != 4 {
		return nil, false, nil
	}
	t := token{kind: tDate, text: w}
	for i, p := range []*int{&t.y, &t.m, &t.d} {
		n, ok := number(pieces[i])
		if !ok || i > 0 && len(pieces[i]) > 2 {
			return nil, false, nil
		}
		*p = n
	}
	if !timed {
		return []token{t}, true, nil
	}
	if at, err := time.Parse(time.RFC3339, strings.ToUpper(w)); err == nil {
		return []token{{kind: tInstant, text: w, at: at}}, true, nil
	}
	c, ok := lexClock(clockPart)
	if !ok {
		return nil, false, noTime(clockPart)
	}
	return []token{t, c}, true, nil
}

// lexSlashed reads 03/04, 12/11/2026, 3.12.2026 and 03-04-2026.
func lexSlashed(w string) (token, bool) {
	for _, sign := range []string{"/", ".", "-"} {
		pieces := strings.Split(w, sign)
		if len(pieces) < 2 || len(pieces) > 3 {
			continue
		}
		t := token{kind: tSlashed, text: w}
		for i, p := range []*int{&t.d, &t.m, &t.y}[:len(pieces)] {
			n, ok := number(pieces[i])
			if !ok || len(pieces[i]) > 2 && i < 2 {
				return token{}, false
			}
			*p = n
		}
		return t, true
	}
	return token{}, false
}

// lexSpan reads 90min and 1h30m.
func lexSpan(w string) (token, bool) {
	t := token{kind: tSpan, text: w}
	for rest := w; rest != ""; {
		i := strings.IndexFunc(rest, unicode.IsLetter)
		if i <= 0 {
			return token{}, false
		}
		j := strings.IndexFunc(rest[i:], unicode.IsDigit)
		if j < 0 {
			j = len(rest) - i
		}
		n, err := strconv.Atoi(rest[:i])
		u := unitOf(rest[i : i+j])
		if err != nil || u == noUnit || n < 0 || n > mostOf {
			return token{}, false
		}
		t.spans = append(t.spans, span{n, u})
		rest = rest[i+j:]
	}
	return t, true
}
