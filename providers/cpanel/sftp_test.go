package cpanel

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"keepwatch"
)

// sshHost is OpenSSH's own server on loopback, with keys made for the test.
type sshHost struct {
	access keepwatch.SFTP
	home   string
	web    *testHost // which lets nobody download
}

// newSSHHost starts one.
func newSSHHost(t *testing.T) *sshHost {
	t.Helper()
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		sshd, err = exec.LookPath("/usr/sbin/sshd")
	}
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI must have OpenSSH's server: %v", err)
		}
		t.Skip("needs OpenSSH's server, sshd")
	}
	me, err := osuser.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	home := filepath.Join(dir, "home", "ruthin")
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	hostPub := writeKey(t, filepath.Join(dir, "host"))
	userPub := writeKey(t, filepath.Join(dir, "user"))
	write(t, filepath.Join(dir, "authorized"), string(ssh.MarshalAuthorizedKey(userPub)))
	port := freePort(t)
	config := fmt.Sprintf(`ListenAddress 127.0.0.1:%d
HostKey %[2]s/host
AuthorizedKeysFile %[2]s/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp -d %[2]s/home/ruthin
`, port, dir)
	write(t, filepath.Join(dir, "config"), config)
	// Started as root, it wants this folder, which a system without the service lacks.
	_ = os.MkdirAll("/run/sshd", 0o755)
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), sshd, "-D", "-e", "-f", filepath.Join(dir, "config"))
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("sshd: %s", log.String())
		}
	})
	awaitPort(t, port)
	web := newTestHost(t)
	web.mux.HandleFunc("/download", page)
	return &sshHost{home: home, web: web, access: keepwatch.SFTP{
		Host: "127.0.0.1", Port: port, User: me.Username, Key: filepath.Join(dir, "user"), HostKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(hostPub))),
	}}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeKey makes a private key without a passphrase.
func writeKey(t *testing.T, path string) ssh.PublicKey {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(pem.EncodeToMemory(block)))
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ecdsaKey gives the public half of a key of another kind.
func ecdsaKey(t *testing.T) string {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(&priv.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(ssh.MarshalAuthorizedKey(key))
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// awaitPort waits until somebody listens, which is the only sign that sshd gives.
func awaitPort(t *testing.T, port int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = conn.Close()
			return
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			t.Fatal("sshd does not listen")
		}
	}
}

// client is one of an account with SFTP, on a cPanel host that lets nobody download.
func (h *sshHost) client(t *testing.T, set func(*keepwatch.SFTP)) *client {
	t.Helper()
	account := h.web.account()
	access := h.access
	if set != nil {
		set(&access)
	}
	account.SFTP = &access
	return testClient(t, account, nil)
}

func asking(file string) string { return "/download?skipencode=1&file=" + url.QueryEscape(file) }

// TestSFTP downloads from OpenSSH where HTTPS is closed, and goes on in the middle.
func TestSFTP(t *testing.T) {
	h := newSSHHost(t)
	content := archive(7, 2<<20+17)
	path := filepath.Join(h.home, "backup-1.2.2026_03-04-05_ruthin.tar.gz")
	write(t, path, string(content))
	c := h.client(t, nil)
	for _, from := range []int64{0, 1, 1 << 20, int64(len(content))} {
		b, err := c.download(soon(t), asking(path), from)
		if got := fetched(t, b, err); got != string(content[from:]) || b.way != waySFTP || b.from != from || b.size != int64(len(content)) {
			t.Errorf("%d bytes from %d of %d by %s", len(got), b.from, b.size, b.way)
		}
	}
	s, err := c.stream(soon(t), asking(path), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	ctx, cancel := context.WithCancel(soon(t))
	b, err := c.download(ctx, asking(path), 0)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, b); err == nil {
		t.Error("reads on after the end of its context")
	}
	_ = b.Close()
}

// TestSFTPRefuses says what is wrong, and never takes another host key.
func TestSFTPRefuses(t *testing.T) {
	h := newSSHHost(t)
	path := filepath.Join(h.home, "backup.tar.gz")
	write(t, path, string(gzipped("archive")))
	write(t, filepath.Join(h.home, "page.tar.gz"), "not compressed")
	dir := t.TempDir()
	other := writeKey(t, filepath.Join(dir, "other"))
	// By OpenSSH's own program: the library takes eight seconds for it under the race detector.
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-a", "1", "-N", "a passphrase", "-f", filepath.Join(dir, "locked")).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %v: %s", err, out)
	}
	write(t, filepath.Join(dir, "nonsense"), "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n")
	for name, tc := range map[string]struct {
		set  func(*keepwatch.SFTP)
		file string
		want string
	}{
		"another host key": {func(s *keepwatch.SFTP) { s.HostKey = string(ssh.MarshalAuthorizedKey(other)) }, path, "is not the one in keepwatch.yaml; nothing was sent. Its fingerprint is now SHA256:"},
		"another kind":     {func(s *keepwatch.SFTP) { s.HostKey = ecdsaKey(t) }, path, "has no SSH key of the kind that is in keepwatch.yaml"},
		"another user key": {func(s *keepwatch.SFTP) { s.Key = filepath.Join(dir, "other") }, path, "does not take the private key"},
		"passphrase":       {func(s *keepwatch.SFTP) { s.Key = filepath.Join(dir, "locked") }, path, "has a passphrase"},
		"no key file":      {func(s *keepwatch.SFTP) { s.Key = filepath.Join(dir, "none") }, path, "cannot be read. Correct key: under sftp:"},
		"no key in it":     {func(s *keepwatch.SFTP) { s.Key = filepath.Join(dir, "nonsense") }, path, "holds no private key in OpenSSH form"},
		"no file":          {nil, path + ".gone", "By SFTP: the file is not there"},
		"a folder":         {nil, h.home, "By SFTP: that is no file"},
		"not compressed":   {nil, filepath.Join(h.home, "page.tar.gz"), "By SFTP: what came is no gzip file"},
		"out of the home":  {nil, "../../etc/passwd", "By SFTP: the account may not read the file"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.client(t, tc.set).download(soon(t), asking(tc.file), 0)
			wants(t, err, keepwatch.KindAttention, tc.want)
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		_, err := h.client(t, func(s *keepwatch.SFTP) { s.Port = freePort(t) }).download(soon(t), asking(path), 0)
		wants(t, err, keepwatch.KindTransient, "takes no connection")
	})
	t.Run("only files in the home", func(t *testing.T) {
		if ways, _ := h.client(t, nil).waysFor("/getsqlbackup/"); len(ways) != 1 {
			t.Errorf("%v", ways)
		}
	})
}

// TestJailedHome: where SSH shows the home as the root, the path of the API is not
// there, and what is left of it is.
func TestJailedHome(t *testing.T) {
	h := newSSHHost(t)
	write(t, filepath.Join(h.home, "backup.tar.gz"), string(gzipped("archive"))) // where the server begins
	b, err := h.client(t, nil).download(soon(t), asking("/nowhere/ruthin/backup.tar.gz"), 0)
	if got := fetched(t, b, err); got != string(gzipped("archive")) {
		t.Errorf("%d bytes", len(got))
	}
}

// frozen passes a connection on to a server until it is frozen: from then on nothing
// goes either way, and it stays open.
type frozen struct {
	port   int
	freeze chan struct{}
}

func newFrozen(t *testing.T, to int) *frozen {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &frozen{ln.Addr().(*net.TCPAddr).Port, make(chan struct{})}
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	t.Cleanup(func() { _ = ln.Close() })
	running.Go(func() {
		in, err := ln.Accept()
		if err != nil {
			return
		}
		defer in.Close()
		out, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", to))
		if err != nil {
			return
		}
		defer out.Close()
		pass := func(to, from net.Conn) {
			buf := make([]byte, 32<<10)
			for {
				n, err := from.Read(buf)
				select {
				case <-f.freeze:
					if err == nil {
						continue
					}
				default:
				}
				if err != nil {
					_ = to.Close()
					return
				}
				_, _ = to.Write(buf[:n])
			}
		}
		running.Go(func() { pass(in, out) })
		pass(out, in)
	})
	return f
}

// TestSFTPThatFreezes: a download that nobody wants any more ends at once, and does not
// wait until the server has answered that the file is closed.
func TestSFTPThatFreezes(t *testing.T) {
	h := newSSHHost(t)
	path := filepath.Join(h.home, "backup.tar.gz")
	write(t, path, string(archive(7, 4<<20)))
	f := newFrozen(t, h.access.Port)
	b, err := h.client(t, func(s *keepwatch.SFTP) { s.Port = f.port }).download(soon(t), asking(path), 0)
	if err != nil {
		t.Fatal(err)
	}
	close(f.freeze)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = b.Close() }()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("it is not closed while the server says nothing")
	}
}
