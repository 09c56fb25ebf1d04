package cpanel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"keepwatch"
)

// sftpRead is how much is asked for at once: the library sends one request for each 32
// KiB of it and awaits them together, where one at a time would wait for each.
const sftpRead = 1 << 20

// hostKey reads the key that the host must show.
func hostKey(account keepwatch.Hosting) (ssh.PublicKey, error) {
	line := strings.TrimSpace(account.SFTP.HostKey)
	invalid := func(format string, args ...any) error {
		return keepwatch.Errorf(keepwatch.KindInvalid, format, args...)
	}
	if line == "" {
		return nil, invalid("sftp: of %s in keepwatch.yaml has no host_key. Ask the host for it, or look at what ssh-keyscan says and compare it with what the host says.", account.User)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return nil, invalid("host_key: of %s in keepwatch.yaml is not a key as in known_hosts, such as “ssh-ed25519 AAAA…”.", account.User).(*keepwatch.Error).Because(err)
	}
	if account.SFTP.Key == "" {
		return nil, invalid("sftp: of %s in keepwatch.yaml names no private key. Add key: with the path of its file.", account.User)
	}
	return key, nil
}

// bySFTP opens a file in the account's home by SFTP. Only the host's known key is taken.
func (c *client) bySFTP(ctx context.Context, route string, from int64) (*body, error) {
	file, ok := fileOf(route)
	if !ok {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "only files in the home directory come that way.")
	}
	conn, err := c.dialSSH(ctx)
	if err != nil {
		return nil, err
	}
	// The library knows no context: closing the connection is what ends a call.
	timed, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(timed, func() { _ = conn.Close() })
	done := func() {
		stop()
		cancel(nil)
		_ = conn.Close()
	}
	b, err := c.openSFTP(timed, conn, file, from, func() { cancel(errIdle) }, done)
	if err != nil {
		if cause := context.Cause(timed); cause != nil && ctx.Err() == nil {
			err = keepwatch.Errorf(keepwatch.KindTransient, "it does not answer.").Because(cause)
		}
		done()
		return nil, err
	}
	return b, nil
}

func (c *client) openSFTP(ctx context.Context, conn *ssh.Client, file string, from int64, stuck, done func()) (*body, error) {
	slow := time.AfterFunc(idleTime, stuck)
	defer slow.Stop()
	client, err := sftp.NewClient(conn)
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "the account has no SFTP. Ask the host for SSH access.").Because(err)
	}
	f, err := openIn(client, c.account.User, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, keepwatch.Errorf(keepwatch.KindNotFound, "the file is not there.").Because(err)
	case errors.Is(err, fs.ErrPermission):
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "the account may not read the file.").Because(err)
	case err != nil:
		return nil, keepwatch.Errorf(keepwatch.KindTransient, "the file cannot be opened.").Because(err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		return nil, keepwatch.Errorf(keepwatch.KindAttention, "that is no file.")
	}
	if err == nil && from > 0 {
		_, err = f.Seek(from, io.SeekStart)
	}
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindTransient, "the file cannot be read.").Because(err)
	}
	t := newTransfer(ctx, hangUp{f, conn}, stuck, done)
	t.Reader = bufio.NewReaderSize(timedReader{t}, sftpRead)
	if from == 0 {
		if err := looksRight(t.Reader); err != nil {
			return nil, err
		}
	}
	return &body{ReadCloser: t, size: info.Size(), from: from, way: waySFTP}, nil
}

// hangUp is a file whose connection is of no use without it. File.Close asks the server
// and waits for its answer, without end where it says nothing any more.
type hangUp struct {
	io.Reader
	conn io.Closer
}

func (h hangUp) Close() error { return h.conn.Close() }

// openIn opens a file by the path that the API knows it by or, where SSH shows the home
// as the root of everything, by what is left of it there.
func openIn(client *sftp.Client, user, file string) (*sftp.File, error) {
	if file = path.Clean(file); strings.HasPrefix(file, "..") {
		return nil, fmt.Errorf("%s: %w", file, fs.ErrPermission)
	}
	f, err := client.Open(file)
	if _, inside, ok := strings.Cut(file, "/"+user+"/"); ok && errors.Is(err, fs.ErrNotExist) {
		return client.Open(inside)
	}
	return f, err
}

// dialSSH signs in with the private key, which is read now, so that it can be changed
// while the program runs.
func (c *client) dialSSH(ctx context.Context) (*ssh.Client, error) {
	access := *c.account.SFTP
	key, err := hostKey(c.account)
	if err != nil {
		return nil, err
	}
	signer, err := privateKey(access.Key)
	if err != nil {
		return nil, err
	}
	host, port, user := access.Host, access.Port, access.User
	if host == "" {
		host = c.base.Hostname()
	}
	if port == 0 {
		port = 22
	}
	if user == "" {
		user = c.account.User
	}
	address := net.JoinHostPort(host, strconv.Itoa(port))
	raw, err := (&net.Dialer{Timeout: dialTime}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindTransient, "%s takes no connection.", address).Because(err)
	}
	config := &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)}, HostKeyAlgorithms: algorithmsOf(key), Timeout: dialTime,
		HostKeyCallback: func(_ string, _ net.Addr, got ssh.PublicKey) error {
			if string(got.Marshal()) != string(key.Marshal()) {
				return &hostKeyError{got: ssh.FingerprintSHA256(got)}
			}
			return nil
		},
	}
	// The handshake obeys neither a context nor the time of the dialler.
	_ = raw.SetDeadline(time.Now().Add(dialTime))
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	conn, chans, reqs, err := ssh.NewClientConn(raw, address, config)
	if !stop() || err != nil {
		_ = raw.Close()
		return nil, c.handshakeTrouble(ctx, address, user, err)
	}
	_ = raw.SetDeadline(time.Time{})
	return ssh.NewClient(conn, chans, reqs), nil
}

// handshakeTrouble makes a sentence of a sign-in by SSH that did not come about.
func (c *client) handshakeTrouble(ctx context.Context, address, user string, err error) error {
	var other *hostKeyError
	var unlike *ssh.AlgorithmNegotiationError
	var slow net.Error
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &other):
		return keepwatch.Errorf(keepwatch.KindAttention, "the SSH key of %s is not the one in keepwatch.yaml; nothing was sent. Its fingerprint is now %s: ask the host whether it is theirs, and correct host_key:.", address, other.got).Because(err)
	case errors.As(err, &unlike) && strings.Contains(unlike.What, "host key"):
		return keepwatch.Errorf(keepwatch.KindAttention, "%s has no SSH key of the kind that is in keepwatch.yaml. Ask the host for the one it has now, and correct host_key:.", address).Because(err)
	case strings.Contains(err.Error(), "unable to authenticate"): // golang.org/x/crypto/ssh has no type for it
		return keepwatch.Errorf(keepwatch.KindAttention, "%s does not take the private key of %s. Import its public half in cPanel under SSH Access and authorise it there.", address, user).Because(err)
	case errors.As(err, &slow) && slow.Timeout():
		return keepwatch.Errorf(keepwatch.KindTransient, "%s did not answer in time.", address).Because(err)
	}
	return keepwatch.Errorf(keepwatch.KindTransient, "the connection to %s broke.", address).Because(err)
}

// hostKeyError says that a host has another key than the known one.
type hostKeyError struct{ got string }

func (e *hostKeyError) Error() string {
	return "the host's key has the fingerprint " + e.got + ", which is not the known one"
}

// algorithmsOf gives the ways in which a host may prove that it has a key. An RSA key
// signs with SHA-2 under other names than its own (RFC 8332).
func algorithmsOf(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}

// privateKey reads a key's file.
func privateKey(file string) (ssh.Signer, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "the private key %s cannot be read. Correct key: under sftp: in keepwatch.yaml.", file).Because(err)
	}
	signer, err := ssh.ParsePrivateKey(pem)
	if locked := new(ssh.PassphraseMissingError); errors.As(err, &locked) {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "the private key %s has a passphrase, which nobody is there to type. Make one for Keepwatch without a passphrase.", file)
	}
	if err != nil {
		return nil, keepwatch.Errorf(keepwatch.KindInvalid, "%s holds no private key in OpenSSH form.", file).Because(errors.New("not a private key")) // the cause may quote it
	}
	return signer, nil
}
