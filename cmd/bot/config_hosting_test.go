package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"keepwatch"
)

const (
	sum     = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
	hostPub = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q"
)

// hostingText is a source with lines of its own.
func hostingText(lines ...string) string {
	return "sources:\n  - name: web\n    kind: cpanel\n    " + strings.Join(lines, "\n    ") + "\n"
}

// TestHosting: each of these is understood, and normalised.
func TestHosting(t *testing.T) {
	secret := keepwatch.NewSecret
	base := func(change func(h *keepwatch.Hosting)) *keepwatch.Hosting {
		h := &keepwatch.Hosting{URL: "https://h:2083", User: "ruthin", Token: secret("s3cret")}
		change(h)
		return h
	}
	for name, c := range map[string]struct {
		lines []string
		want  *keepwatch.Hosting
	}{
		"no port":            {[]string{"url: https://h", "user: ruthin", "token: s3cret"}, base(func(*keepwatch.Hosting) {})},
		"a slash":            {[]string{"url: https://h/", "user: ruthin", "token: s3cret"}, base(func(*keepwatch.Hosting) {})},
		"another port":       {[]string{"url: https://127.0.0.1:41233", "user: ruthin", "token: s3cret"}, base(func(h *keepwatch.Hosting) { h.URL = "https://127.0.0.1:41233" })},
		"IPv6":               {[]string{"url: 'https://[::1]'", "user: ruthin", "token: s3cret"}, base(func(h *keepwatch.Hosting) { h.URL = "https://[::1]:2083" })},
		"WHM without a port": {[]string{"url: https://h", "user: ruthin", "whm: root", "token: s3cret"}, base(func(h *keepwatch.Hosting) { h.URL, h.WHM = "https://h:2087", "root" })},
		"a fingerprint":      {[]string{"url: https://h", "user: ruthin", "token: s3cret", "fingerprint: " + strings.ToUpper(sum)}, base(func(h *keepwatch.Hosting) { h.Fingerprint = sum })},
		"openssl's":          {[]string{"url: https://h", "user: ruthin", "token: s3cret", "fingerprint: sha256 Fingerprint=5E:" + sum[2:]}, base(func(h *keepwatch.Hosting) { h.Fingerprint = sum })},
		"a password and codes": {[]string{"url: https://h", "user: ruthin", "password: ${CPANEL_RUTHIN_PASSWORD}", "otp_secret: ${CPANEL_RUTHIN_OTP}"}, base(func(h *keepwatch.Hosting) {
			h.Token, h.Password, h.OTPSecret = secret(""), secret("s3cret"), secret("JBSWY3DPEHPK3PXP")
		})},
		"a line of known_hosts": {[]string{"url: https://h", "user: ruthin", "token: s3cret", "stall: 90s", "remove: true", "sftp: {key: /k, host_key: 'web1.example.net " + hostPub + " a comment'}"},
			base(func(h *keepwatch.Hosting) {
				h.Stall, h.Remove, h.SFTP = 90*time.Second, true, &keepwatch.SFTP{Key: "/k", HostKey: hostPub}
			})},
	} {
		got, err := readText(t, hostingText(c.lines...))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(c.want, got.Sources[0].Hosting); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// TestHostingPaths are relative to the folder of the file.
func TestHostingPaths(t *testing.T) {
	c, err := readText(t, hostingText("url: https://h", "user: u", "token: x", "ca: ca.pem", "push: {way: scp, host: r, user: u, password: p, folder: in}", "sftp: {key: id, host_key: '"+hostPub+"'}"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	h := c.Sources[0].Hosting
	if h.CA != filepath.Join(dir, "ca.pem") || h.Push.Folder != filepath.Join(dir, "in") || h.SFTP.Key != filepath.Join(dir, "id") {
		t.Errorf("%+v", h)
	}
	if d := cmp.Diff([]string{"sources[0].token", "sources[0].push.password"}, c.Plain); d != "" {
		t.Errorf("secrets in the file itself: %s", d)
	}
}

// TestHostingProblems: each names what is wrong and what is expected, and there is
// one sentence for each. None repeats a secret.
func TestHostingProblems(t *testing.T) {
	ok := []string{"url: https://h", "user: u", "token: ${WHM_TOKEN}"}
	with := func(lines ...string) []string { return append(append([]string(nil), ok...), lines...) }
	at := func(url string) []string { return []string{"url: '" + url + "'", "user: u", "token: ${WHM_TOKEN}"} }
	push := func(rest string) []string { return with("push: {way: " + rest + "}") }
	const host, folder = ", host: r, user: u", ", folder: /in"
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{at("http://h:2083"), `4: sources[0].url is "http://h:2083"; expected https://, a host and a port, such as https://web1.example.net:2083.`},
		{at("h:2083"), `4: sources[0].url is "h:2083"; expected https://, a host and a port, such as https://web1.example.net:2083.`},
		{at("https://"), `4: sources[0].url is "https://"; expected https://, a host and a port, such as https://web1.example.net:2083.`},
		{at("https://h:2082"), `4: sources[0].url is "https://h:2082", and port 2082 is in clear text: everybody on the way would read the token; expected port 2083.`},
		{at("https://h:80"), `4: sources[0].url is "https://h:80", and port 80 is in clear text: everybody on the way would read the token; expected port 2083.`},
		{at("https://h:2095"), `4: sources[0].url is "https://h:2095", and port 2095 is that of another service (WebDAV, calendars or webmail); expected port 2083.`},
		{at("https://h:0"), `4: sources[0].url is "https://h:0"; expected a port from 1 to 65535, such as 2083.`},
		{at("https://h:2087"), `4: sources[0].url is "https://h:2087", and port 2087 is WHM's, where a token of an account does not count; expected port 2083, or whm: with the user of WHM that the token belongs to.`},
		{append(at("https://h:2083"), "whm: root"), `4: sources[0].url is "https://h:2083", and port 2083 is cPanel's, where a token of WHM does not count; expected port 2087, or no whm.`},
		{append(at("https://h:2086"), "whm: root"), `4: sources[0].url is "https://h:2086", and port 2086 is in clear text: everybody on the way would read the token; expected port 2087.`},
		{at("https://h:2083/cpsess1/"), `4: sources[0].url is "https://h:2083/cpsess1/"; expected https://, a host and a port and nothing behind it, such as https://h:2083.`},
		{at("https://h?x=1"), `4: sources[0].url is "https://h?x=1"; expected https://, a host and a port and nothing behind it, such as https://h:2083.`},
		{at("http://u:s3cret@h"), `4: sources[0].url has a name or a password in it; write them as user: and token:.`},
		{[]string{"url: https://h", "user: a:b", "token: x"}, `5: sources[0].user is "a:b"; expected the name of an account, such as ruthin.`},
		{[]string{"url: https://h", "user: u"}, `2: sources[0] has no token; expected one, such as token: ${CPANEL_TOKEN} (Security, Manage API Tokens), or where the host has none for you a password.`},
		{[]string{"url: https://h", "user: u", "token: ${EMPTY}"}, `6: sources[0].token is empty; expected a secret, such as ${CPANEL_TOKEN}.`},
		{[]string{"url: https://h", "user: u", "token: ${NOT_THERE}"}, `6: sources[0].token refers to ${NOT_THERE}, which is not set in the environment nor in the .env file.`},
		{[]string{"url: https://h", "user: u", "token: ${LINES}"}, `6: sources[0].token has a line break or another character in it that no secret has.`},
		{[]string{"url: https://h", "user: u", "whm: root", "password: s3cret"}, `6: sources[0].whm needs a token of WHM (Development, Manage API Tokens): add token: ${WHM_TOKEN}.`},
		{[]string{"url: https://h", "user: u", "password: s3cret", "token_name: kw"}, `7: sources[0].token_name names a token, and there is none; add token: ${CPANEL_TOKEN}, or leave it out.`},
		{with("token_name: a b"), `7: sources[0].token_name is "a b"; expected the name that the host shows for the token: letters, digits, "_" and "-".`},
		{with("otp_secret: JBSWY3DPEHPK3PXP"), `7: sources[0].otp_secret makes the one-time codes that a password needs, and there is no password. A token needs none: leave it out, or add password: ${CPANEL_PASSWORD}.`},
		{with("password: x", "otp_secret: ${BAD_OTP}"), `8: sources[0].otp_secret is no base32; expected the key that the host shows beside the picture for two-factor sign-in: letters and the digits 2 to 7.`},
		{with("fingerprint: '5E:88'"), `7: sources[0].fingerprint is "5E:88"; expected the SHA-256 of the host's certificate: 64 of 0-9 and a-f, with or without colons.`},
		{with("fingerprint: "+sum, "ca: x.pem"), `8: sources[0].ca does not count beside a fingerprint, which is the stronger of the two. Leave one of them out.`},
		{with("email: alis"), `7: sources[0].email is "alis"; expected one address such as alis@contoso.example.`},
		{with("remove: perhaps"), `7: sources[0].remove is "perhaps"; expected true or false.`},
		{with("stall: soon"), `7: sources[0].stall is "soon"; expected a duration such as 60s, 12h, 30d or 4w.`},
		{with("parts: [home, homedir]"), `7: sources[0].parts[1] is "homedir"; expected home, databases, forwarders, filters, or one database such as database:ruthin_wp.`},
		{with("parts: ['database:']"), `7: sources[0].parts[0] is "database:"; expected home, databases, forwarders, filters, or one database such as database:ruthin_wp.`},
		{push("mail" + host + folder), `7: sources[0].push.way is "mail"; expected ftp or scp.`},
		{push("ftp" + host + ", password: x"), `7: sources[0].push has no folder; expected one, such as folder: /srv/from-hosts/ruthin, where what arrives is seen on this machine.`},
		{push("ftp" + host + folder), `7: sources[0].push has no password; expected one, such as password: ${RECEIVER_PASSWORD}.`},
		{push("ftp" + host + folder + ", password: x, key: k"), `7: sources[0].push.key belongs to way: scp; with ftp there is a password.`},
		{push("scp" + host + folder), `7: sources[0].push needs a password, or the name of a key in the account (key: keepwatch): one of the two.`},
		{push("scp" + host + folder + ", key: k, password: s3cret"), `7: sources[0].push needs a password, or the name of a key in the account (key: keepwatch): one of the two.`},
		{push("scp" + host + folder + ", password: x, passphrase: s3cret"), `7: sources[0].push.passphrase is that of a key, and there is no key.`},
		{push("scp" + host + folder + ", password: x, passive: true"), `7: sources[0].push.passive belongs to way: ftp.`},
		{push("ftp, host: 'r:21', user: u, password: x" + folder), `7: sources[0].push.host is "r:21"; expected a host alone, such as backup.example.net; the port has a key of its own.`},
		{push("ftp" + host + folder + ", password: x, port: 70000"), `7: sources[0].push.port is 70000; expected a port from 1 to 65535.`},
		{push("ftp" + host + folder + ", password: x, directroy: d"), `7: sources[0].push.directroy is not known. Did you mean "directory"?`},
		{with("remove: true", "push: {way: ftp, host: r, user: u, password: x, folder: /in}"), `7: sources[0].remove is about what the host keeps; with push it keeps nothing, and on the receiver Keepwatch removes nothing. Leave it out.`},
		{with("sftp: {key: /k}"), `7: sources[0].sftp has no host_key; expected one, such as host_key: "ssh-ed25519 AAAA…", as "ssh-keyscan HOST" shows it.`},
		{with("sftp: {key: /k, host_key: 'ssh-rsa " + hostPub[12:] + "'}"), `7: sources[0].sftp.host_key is "ssh-rsa ` + hostPub[12:] + `"; expected the key of the server as in known_hosts: its type and the key, such as "ssh-ed25519 AAAA…".`},
		{with("sftp: {key: /k, host_key: ssh-ed25519}"), `7: sources[0].sftp.host_key is "ssh-ed25519"; expected the key of the server as in known_hosts: its type and the key, such as "ssh-ed25519 AAAA…".`},
		{with("sftp: {host_key: '" + hostPub + "'}"), `7: sources[0].sftp has no key; expected one, such as key: ruthin-ssh-key, a file with the private key.`},
		{with("path: /x"), `7: sources[0].path does not belong to a source of kind cpanel.`},
	} {
		_, err := readText(t, hostingText(c.lines...))
		got := keepwatch.Sentence(err)
		if got != "keepwatch.yaml:"+c.want {
			t.Errorf("%s\n got %s\nwant keepwatch.yaml:%s", strings.Join(c.lines, "\n"), got, c.want)
		}
		if strings.Contains(got, "s3cret") {
			t.Errorf("a secret is repeated: %s", got)
		}
	}
}

// TestPlainSecrets: secrets in a file that others can read are warned of.
func TestPlainSecrets(t *testing.T) {
	c, err := readText(t, hostingText("url: https://h", "user: u", "token: s3cret"))
	if err != nil {
		t.Fatal(err)
	}
	s := settings{config: c, ConfigFile: "keepwatch.yaml", DataDir: t.TempDir()}
	const want = "Others on this machine can read keepwatch.yaml, which holds 1 secret: sources[0].token. → Put them into .env and write ${NAME} in their place, or run: chmod 600 keepwatch.yaml"
	if got := probesText(probeSettings(s)); strings.Contains(got, "Others on this machine") || strings.Contains(got, "s3cret") {
		t.Error(got)
	}
	if err := os.Chmod("keepwatch.yaml", 0o644); err != nil {
		t.Fatal(err)
	}
	if got := probesText(probeSettings(s)); strings.Count(got, want) != 1 {
		t.Error(got)
	}
	s.Plain = nil
	if got := probesText(probeSettings(s)); strings.Contains(got, "Others on this machine") {
		t.Error(got)
	}
}

// TestOpenEnvironment: a .env file that others can read is warned of where it holds what
// the configuration refers to as a secret, and only then.
func TestOpenEnvironment(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		env  string
		mode os.FileMode
		want string
	}{
		{"CPANEL_TOKEN=s3cret\n", 0o644, "Others on this machine can read .env, which holds CPANEL_TOKEN. Run: chmod 600 .env"},
		{"CPANEL_TOKEN=s3cret\n", 0o600, ""},
		{"ACCOUNT=u\n", 0o644, ""},
		{"ACCOUNT=u\nSLACK_BOT_TOKEN=s3cret\n", 0o644, "Others on this machine can read .env, which holds SLACK_BOT_TOKEN. Run: chmod 600 .env"},
	} {
		if err := errors.Join(os.WriteFile("keepwatch.yaml", []byte(hostingText("url: https://h", "user: u", "token: ${CPANEL_TOKEN}")), 0o600),
			os.RemoveAll(".env"), os.WriteFile(".env", []byte(c.env), c.mode)); err != nil {
			t.Fatal(err)
		}
		s, err := loadSettings(process{Environ: []string{"CPANEL_TOKEN=process"}}, options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(s.warnings(), "\n"); got != c.want {
			t.Errorf("%q %v: %q, want %q", c.env, c.mode, got, c.want)
		}
	}
}
