package mail

import "strings"

// address is somebody in a header: a name, an address, or both.
type address struct{ name, addr string }

// maxAddresses of one header are read.
const maxAddresses = 20_000

// addresses reads a list of addresses (RFC 5322 3.4), whatever is in it: what
// net/mail refuses as a whole for one stray character is read here as far as it goes.
// An empty group ("undisclosed-recipients:;") has nobody in it. lost tells that there
// are more than maxAddresses.
func addresses(s string) (list []address, lost bool) {
	p := addressParser{s: s}
	for p.s != "" {
		if len(p.list) >= maxAddresses {
			return p.list, true
		}
		p.step()
	}
	p.end()
	return p.list, false
}

// addressParser goes through a list. Its text is what stands before an angle or a
// comma, its comment the last one in brackets.
type addressParser struct {
	s             string
	list          []address
	text, comment strings.Builder
	quoted        bool // the text had quotes
	spec          string
	hasSpec       bool
}

func (p *addressParser) step() {
	c := p.s[0]
	switch c {
	case '"':
		if p.hasSpec {
			p.end()
		}
		v, rest := quoted(p.s)
		if strings.HasPrefix(rest, "@") { // "john smith"@example.com
			p.text.WriteString(p.s[:len(p.s)-len(rest)])
		} else {
			p.text.WriteString(v)
			p.quoted = true
		}
		p.s = rest
	case '(':
		v, rest := comment(p.s)
		p.comment.Reset()
		p.comment.WriteString(v)
		p.s = rest
		p.text.WriteByte(' ')
	case '<':
		v, rest, ok := strings.Cut(p.s[1:], ">")
		if !ok {
			v, rest, ok = strings.Cut(p.s[1:], ",")
			if ok {
				rest = "," + rest
			}
		}
		if p.hasSpec {
			p.end()
		}
		p.spec, p.hasSpec = strings.TrimSpace(v), true
		p.s = rest
	case ',', ';':
		p.end()
		p.s = p.s[1:]
	case ':':
		if p.hasSpec || strings.Contains(p.text.String(), "@") { // no name of a group
			p.text.WriteByte(c)
		} else {
			p.text.Reset() // the name of a group
			p.quoted = false
		}
		p.s = p.s[1:]
	default:
		i := strings.IndexAny(p.s, `"(<,;:`)
		if i < 0 {
			i = len(p.s)
		}
		if p.hasSpec && strings.TrimSpace(p.s[:i]) != "" {
			p.end() // "Bob <bob@a> Rob <rob@b>", a comma forgotten
		}
		p.text.WriteString(p.s[:i])
		p.s = p.s[i:]
	}
}

// end finishes an address.
func (p *addressParser) end() {
	text, note := strings.TrimSpace(p.text.String()), strings.TrimSpace(p.comment.String())
	a := address{name: text, addr: p.spec}
	if !p.hasSpec {
		a = bare(text, p.quoted)
	}
	if a.name == "" {
		a.name = note
	}
	a.name = clip(strings.Join(strings.Fields(clean(strings.Trim(words(a.name), "'\""))), " "), 1000)
	a.addr = clip(strings.Map(noAngles, clean(readText(route(a.addr)))), 1000)
	if a.name != "" || a.addr != "" {
		p.list = append(p.list, a)
	}
	p.text.Reset()
	p.comment.Reset()
	p.quoted, p.spec, p.hasSpec = false, "", false
}

// bare reads what has no angle brackets: an address, or a name without one, or both
// ("Bob bob@example.com").
func bare(text string, wasQuoted bool) address {
	if !strings.Contains(text, "@") {
		if !wasQuoted && text != "" && !strings.ContainsAny(text, " \t=") {
			return address{addr: text} // a local user
		}
		return address{name: text}
	}
	fields := strings.Fields(text)
	if len(fields) == 1 || strings.HasPrefix(text, `"`) {
		return address{addr: text}
	}
	for i, f := range fields {
		if strings.Contains(f, "@") {
			return address{name: strings.Join(append(fields[:i:i], fields[i+1:]...), " "), addr: f}
		}
	}
	return address{name: text}
}

// route takes the obsolete route off an address (RFC 5322 4.4): @a,@b:joe@c.
func route(s string) string {
	if strings.HasPrefix(s, "@") {
		if _, a, ok := strings.Cut(s, ":"); ok {
			s = a
		}
	}
	return strings.TrimPrefix(strings.TrimSpace(s), "mailto:")
}

// quoted reads a quoted string and gives what is behind it.
func quoted(s string) (string, string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// comment reads a comment, which may have others in it.
func comment(s string) (string, string) {
	depth := 0
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case c == '(':
			if depth++; depth > 1 {
				b.WriteByte(c)
			}
		case c == ')':
			if depth--; depth == 0 {
				return b.String(), s[i+1:]
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

func noAngles(r rune) rune {
	if r == '<' || r == '>' {
		return -1
	}
	return r
}
