package main

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"keepwatch"
)

// hostingKeys are the keys of a hosting account, besides those of every source.
func hostingKeys() []string {
	return []string{"url", "user", "token", "token_name", "whm", "password", "otp_secret", "fingerprint", "ca",
		"email", "remove", "stall", "push", "sftp", "rotation", "parts"}
}

// cpanel reads a hosting account.
func (d *doc) cpanel(s *keepwatch.Source, f field, keys map[string]field, base string) {
	h := &keepwatch.Hosting{WHM: account(keys["whm"]), Email: keys["email"].text(), Remove: keys["remove"].yes(), Stall: keys["stall"].duration(), CA: absolute(keys["ca"].text(), base)}
	s.Hosting = h
	if at := need(f, keys, "url", "url: https://web1.example.net:2083"); at.is() {
		h.URL = hostingURL(at, h.WHM != "")
	}
	h.User = account(need(f, keys, "user", "user: ruthin"))
	d.signIn(h, f, keys)
	if at := keys["fingerprint"]; at.is() {
		h.Fingerprint = fingerprint(at)
		if h.CA != "" {
			keys["ca"].bad("does not count beside a fingerprint, which is the stronger of the two. Leave one of them out.")
		}
	}
	if at := keys["email"]; h.Email != "" && (!strings.Contains(h.Email, "@") || strings.ContainsAny(h.Email, " ,;")) {
		at.bad("is %q; expected one address such as alis@contoso.example.", h.Email)
	}
	if at := keys["push"]; at.is() {
		h.Push = d.push(at, base)
		if h.Remove {
			keys["remove"].bad("is about what the host keeps; with push it keeps nothing, and on the receiver Keepwatch removes nothing. Leave it out.")
		}
	}
	if at := keys["sftp"]; at.is() {
		h.SFTP = d.sftp(at, base)
	}
	for _, at := range keys["parts"].list() {
		part := at.text()
		if !keepwatch.ValidHostingPart(part) {
			at.bad("is %q; expected home, databases, forwarders, filters, or one database such as database:ruthin_wp.", part)
		}
		s.Parts = append(s.Parts, part)
	}
	rot := keys["rotation"].section("keeps", "max_age")
	s.Rotation = keepwatch.Rotation{Keeps: rot["keeps"].number(1), MaxAge: rot["max_age"].duration()}
}

// signIn reads with what an account is signed in to.
func (d *doc) signIn(h *keepwatch.Hosting, f field, keys map[string]field) {
	token, password := keys["token"], keys["password"]
	h.Token, h.Password = d.secret(token), d.secret(password)
	if at := keys["token_name"]; at.is() {
		h.TokenName = at.text()
		switch {
		case !token.is():
			at.bad("names a token, and there is none; add token: ${CPANEL_TOKEN}, or leave it out.")
		case h.TokenName == "" || len(h.TokenName) > 50 || strings.Trim(strings.ToLower(h.TokenName), "abcdefghijklmnopqrstuvwxyz0123456789_-") != "":
			// UAPI Tokens::create_full_access
			at.bad("is %q; expected the name that the host shows for the token: letters, digits, \"_\" and \"-\".", h.TokenName)
		}
	}
	switch {
	case keys["whm"].is() && !token.is():
		keys["whm"].bad("needs a token of WHM (Development, Manage API Tokens): add token: ${WHM_TOKEN}.")
	case !token.is() && !password.is():
		f.bad("has no token; expected one, such as token: ${CPANEL_TOKEN} (Security, Manage API Tokens), or where the host has none for you a password.")
	}
	if at := keys["otp_secret"]; at.is() {
		h.OTPSecret = otpSecret(at, d.secret(at))
		if !password.is() {
			at.bad("makes the one-time codes that a password needs, and there is no password. A token needs none: leave it out, or add password: ${CPANEL_PASSWORD}.")
		}
	}
}

// secret reads one that is sent in a header or a form. Where it stands in the file
// itself, that is remembered for the check.
func (d *doc) secret(f field) keepwatch.Secret {
	text := f.text()
	switch n := f.resolve().n; {
	case !f.is():
	case text == "":
		if n.Value == "" || strings.Contains(n.Value, "${") && d.isSet(n.Value) {
			f.bad("is empty; expected a secret, such as ${CPANEL_TOKEN}.")
		}
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		f.bad("has a line break or another character in it that no secret has.")
	case !reference.MatchString(n.Value):
		d.plain = append(d.plain, f.path)
	default:
		for _, m := range reference.FindAllStringSubmatch(n.Value, -1) {
			d.referred = append(d.referred, m[1])
		}
	}
	return keepwatch.NewSecret(text)
}

// isSet reports whether all that a text refers to is there, empty or not.
func (d *doc) isSet(text string) bool {
	for _, m := range reference.FindAllStringSubmatch(text, -1) {
		if _, ok := d.env(m[1]); !ok && m[1] != "" {
			return false
		}
	}
	return true
}

// account reads a name that stands before a colon when somebody signs in.
func account(f field) string {
	text := f.text()
	if f.is() && (text == "" || len(text) > 64 || strings.ContainsAny(text, ":/\\ \t\r\n\x00")) {
		f.bad("is %q; expected the name of an account, such as ruthin.", text)
	}
	return text
}

// hostingURL reads where a host listens, and gives it as https, a host and a port.
func hostingURL(f field, whm bool) string {
	port, other := "2083", "2087"
	if whm {
		port, other = other, port
	}
	text := f.text()
	u, err := url.Parse(text)
	switch {
	case err == nil && u.User != nil: // before anything repeats it
		f.bad("has a name or a password in it; write them as user: and token:.")
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		f.bad("is %q; expected https://, a host and a port, such as https://web1.example.net:%s.", text, port)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		f.bad("is %q; expected https://, a host and a port and nothing behind it, such as https://%s.", text, net.JoinHostPort(u.Hostname(), port))
	case u.Port() == "":
		return "https://" + net.JoinHostPort(u.Hostname(), port)
	case otherService(u.Port()) != "":
		f.bad("is %q, and %s; expected port %s.", text, otherService(u.Port()), port)
	case u.Port() == other && whm:
		f.bad("is %q, and port 2083 is cPanel's, where a token of WHM does not count; expected port 2087, or no whm.", text)
	case u.Port() == other:
		f.bad("is %q, and port 2087 is WHM's, where a token of an account does not count; expected port 2083, or whm: with the user of WHM that the token belongs to.", text)
	case !validPort(u.Port()):
		f.bad("is %q; expected a port from 1 to 65535, such as %s.", text, port)
	default:
		return "https://" + net.JoinHostPort(u.Hostname(), u.Port())
	}
	return ""
}

// otherService says what listens on a host's port that cannot be meant, and gives ""
// for the others (docs.cpanel.net/knowledge-base/general-systems-administration,
// "How to configure your firewall for cPanel & WHM services").
func otherService(port string) string {
	switch port {
	case "80", "2082", "2086":
		return "port " + port + " is in clear text: everybody on the way would read the token"
	case "2077", "2078", "2079", "2080", "2095", "2096":
		return "port " + port + " is that of another service (WebDAV, calendars or webmail)"
	}
	return ""
}

func validPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n > 0 && n < 65536
}

// fingerprint reads the SHA-256 of a certificate, as a browser or openssl shows it.
func fingerprint(f field) string {
	text := f.text()
	_, value, found := strings.Cut(text, "=") // "sha256 Fingerprint=AA:BB:…"
	if !found {
		value = text
	}
	value = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(value), ":", ""))
	if sum, err := hex.DecodeString(value); err != nil || len(sum) != 32 {
		f.bad("is %q; expected the SHA-256 of the host's certificate: 64 of 0-9 and a-f, with or without colons.", text)
		return ""
	}
	return value
}

// otpSecret sees that a secret is base32, and gives it without blanks, hyphens and
// padding, in capitals. It never repeats it.
func otpSecret(f field, secret keepwatch.Secret) keepwatch.Secret {
	text := strings.ToUpper(strings.TrimRight(strings.NewReplacer(" ", "", "-", "").Replace(secret.Reveal()), "="))
	if _, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text); err != nil && text != "" {
		f.bad("is no base32; expected the key that the host shows beside the picture for two-factor sign-in: letters and the digits 2 to 7.")
	}
	return keepwatch.NewSecret(text)
}

// push reads the receiver of full backups.
func (d *doc) push(f field, base string) *keepwatch.Push {
	keys := f.section("way", "host", "port", "user", "password", "key", "passphrase", "directory", "passive", "folder")
	p := &keepwatch.Push{
		Way: need(f, keys, "way", "way: ftp").oneOf("ftp", "scp"), Host: hostName(need(f, keys, "host", "host: backup.example.net")), Port: port(keys["port"]),
		User: need(f, keys, "user", "user: ruthin").text(), Password: d.secret(keys["password"]), Key: keys["key"].text(), Passphrase: d.secret(keys["passphrase"]),
		Directory: keys["directory"].text(), Passive: keys["passive"].yes(),
		Folder: absolute(need(f, keys, "folder", "folder: /srv/from-hosts/ruthin, where what arrives is seen on this machine").text(), base),
	}
	password, key := keys["password"].is(), keys["key"].is()
	switch {
	case p.Way == "ftp" && key:
		keys["key"].bad("belongs to way: scp; with ftp there is a password.")
	case p.Way == "ftp" && !password:
		f.bad("has no password; expected one, such as password: ${RECEIVER_PASSWORD}.")
	case p.Way == "scp" && password == key:
		f.bad("needs a password, or the name of a key in the account (key: keepwatch): one of the two.")
	}
	if p.Way == "ftp" && keys["passphrase"].is() || p.Way == "scp" && keys["passphrase"].is() && !key {
		keys["passphrase"].bad("is that of a key, and there is no key.")
	}
	if p.Way == "scp" && keys["passive"].is() {
		keys["passive"].bad("belongs to way: ftp.")
	}
	return p
}

// sftp reads the SSH access of an account.
func (d *doc) sftp(f field, base string) *keepwatch.SFTP {
	keys := f.section("host", "port", "user", "key", "host_key")
	s := &keepwatch.SFTP{Port: port(keys["port"]), User: account(keys["user"]), Key: absolute(need(f, keys, "key", "key: ruthin-ssh-key, a file with the private key").text(), base)}
	if at := keys["host"]; at.is() {
		s.Host = hostName(at)
	}
	if at := need(f, keys, "host_key", `host_key: "ssh-ed25519 AAAA…", as "ssh-keyscan HOST" shows it`); at.is() {
		s.HostKey = hostKey(at)
	}
	return s
}

// hostName reads a host without anything around it.
func hostName(f field) string {
	text := f.text()
	if f.is() && (text == "" || strings.ContainsAny(text, "/@ \t\r\n") || strings.Contains(text, ":") && net.ParseIP(text) == nil) {
		f.bad("is %q; expected a host alone, such as backup.example.net; the port has a key of its own.", text)
	}
	return text
}

// port reads a port; 0 where it is missing.
func port(f field) int {
	n := f.number(1)
	if n > 65535 {
		f.bad("is %d; expected a port from 1 to 65535.", n)
	}
	return n
}

// hostKey reads the key of an SSH server: a line of known_hosts, with the host before
// it or without, and gives its type and the key (sshd(8), "SSH_KNOWN_HOSTS FILE
// FORMAT"). A key begins with the name of its type (RFC 4253, section 6.6).
func hostKey(f field) string {
	words := strings.Fields(f.text())
	for i := range min(2, max(len(words)-1, 0)) {
		kind := words[i]
		blob, err := base64.StdEncoding.DecodeString(words[i+1])
		if err != nil || len(blob) < 4 || strings.HasPrefix(kind, "@") {
			continue
		}
		if n := int(binary.BigEndian.Uint32(blob)); n == len(kind) && len(blob) > 4+n && string(blob[4:4+n]) == kind {
			return kind + " " + words[i+1]
		}
	}
	f.bad("is %q; expected the key of the server as in known_hosts: its type and the key, such as \"ssh-ed25519 AAAA…\".", f.text())
	return ""
}

// plainSecrets warns where secrets stand in a configuration that others can read.
func plainSecrets(file string, plain []string, others bool) []keepwatch.Probe {
	if len(plain) == 0 || !others {
		return nil
	}
	return []keepwatch.Probe{caution("configuration", fmt.Sprintf("Others on this machine can read %s, which holds %s: %s.", file, keepwatch.FormatCount(int64(len(plain)), "secret"), few(plain)),
		"Put them into .env and write ${NAME} in their place, or run: chmod 600 "+file)}
}
