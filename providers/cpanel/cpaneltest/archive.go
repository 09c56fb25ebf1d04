package cpaneltest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// ArchiveSpec is what a full backup holds (docs.cpanel.net, "Backup Tarball Contents").
type ArchiveSpec struct {
	User    string
	Domains []string // the first is the main one; none: USER.example
	// Files are those of the home directory, by path below it. A path with a slash at
	// its end is a folder.
	Files map[string][]byte
	// Links are symbolic links of the home directory.
	Links map[string]string
	// Many is how many small files more the home directory has, in folders of 500.
	Many int
	// Large is the size of one file more, large.bin, which gzip cannot make smaller.
	Large int64
	// Databases are dumps by name: whole ones (see MysqlDump) as they are, and other
	// texts in the frame of a dump.
	Databases  map[string]string
	Forwarders map[string][]string // "from: to" by domain
	Filters    map[string]string   // by domain

	SkipHome bool // made with homedir=skip
	HomeTar  bool // the home directory is a homedir.tar within
	Dump     DumpOpts
	// Top is the one folder that everything is in; "": after the user and the time.
	Top string
	// Without are members that are left out, by path below Top.
	Without []string
	// Level of gzip; 0: the default. [gzip.HuffmanOnly] makes large ones quickly.
	Level int

	tree map[string]*node // of an account, in place of Files
}

// BackupName is how cPanel calls a full backup that begins at when, in when's zone.
func BackupName(user string, when time.Time) string { return stem(user, when) + ".tar.gz" }

func stem(user string, when time.Time) string {
	return fmt.Sprintf("backup-%d.%d.%d_%s_%s", when.Month(), when.Day(), when.Year(), when.Format("15-04-05"), user)
}

// WriteArchive writes a full backup that begins at when, as .tar.gz.
func WriteArchive(w io.Writer, spec ArchiveSpec, when time.Time) error {
	level := spec.Level
	if level == 0 {
		level = gzip.DefaultCompression
	}
	zip, err := gzip.NewWriterLevel(w, level)
	if err != nil {
		return err
	}
	if spec.Top == "" {
		spec.Top = stem(spec.User, when)
	}
	if len(spec.Domains) == 0 {
		spec.Domains = []string{spec.User + ".example"}
	}
	b := &builder{tar: tar.NewWriter(zip), prefix: spec.Top + "/", when: when, without: spec.Without}
	b.dir("")
	b.account(spec)
	b.mysql(spec)
	b.mail(spec)
	if !spec.SkipHome {
		b.homedir(spec)
	}
	if b.err == nil {
		b.err = b.tar.Close()
	}
	if b.err != nil {
		return fmt.Errorf("write the archive of %s: %w", spec.User, b.err)
	}
	return zip.Close()
}

// builder writes members; its first error stays.
type builder struct {
	tar     *tar.Writer
	prefix  string // of each member: "backup-…/", "./", ""
	when    time.Time
	without []string
	err     error
}

func (b *builder) head(h *tar.Header) bool {
	if b.err != nil || slices.Contains(b.without, strings.TrimSuffix(h.Name, "/")) {
		return false
	}
	h.Name = b.prefix + h.Name
	if h.Typeflag == tar.TypeDir && !strings.HasSuffix(h.Name, "/") {
		h.Name += "/"
	}
	if h.ModTime.IsZero() {
		h.ModTime = b.when.Truncate(time.Second)
	}
	h.Uid, h.Gid = 1001, 1001
	b.err = b.tar.WriteHeader(h)
	return b.err == nil
}

func (b *builder) dir(name string) {
	b.head(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755})
}

func (b *builder) file(name, content string) {
	b.stream(name, int64(len(content)), 0o644, time.Time{}, strings.NewReader(content))
}

func (b *builder) link(name, to string) {
	b.head(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to, Mode: 0o777})
}

func (b *builder) stream(name string, size, mode int64, at time.Time, content io.Reader) {
	if b.head(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: mode, ModTime: at}) {
		_, b.err = io.Copy(b.tar, content)
	}
}

// account writes what the account itself is.
func (b *builder) account(spec ArchiveSpec) {
	for _, dir := range []string{"bandwidth", "counters", "cp", "cron", "dnszones", "domainkeys", "httpfiles", "locale", "logs", "meta", "mysql", "mysql-timestamps", "psql", "resellerconfig", "ssl", "sslcerts", "sslkeys", "suspended", "userdata", "va", "vad", "vf"} {
		b.dir(dir)
	}
	main := spec.Domains[0]
	b.file("version", "pkgacct version: 10\narchive version: 4\n")
	b.file("homedir_paths", "/home/"+spec.User+"\n")
	b.file("cp/"+spec.User, fmt.Sprintf("DNS=%s\nIP=192.0.2.10\nPLAN=default\nOWNER=root\nUSER=%s\nSTARTDATE=1700000000\n", main, spec.User))
	b.file("quota", "0\n")
	b.file("shell", "/usr/local/cpanel/bin/jailshell\n")
	b.file("shadow", "$6$notahash$"+strings.Repeat("x", 60)+"\n")
	b.file("addons", strings.Join(spec.Domains[1:], "\n"))
	b.file("sds", "")
	b.file("sds2", "")
	b.file("pds", "")
	b.file("nobodyfiles", "")
	b.file("proftpdpasswd", "")
	b.file("digestshadow", "")
	b.file("userdata/main", fmt.Sprintf("---\naddon_domains: {}\nmain_domain: %s\nparked_domains: []\nsub_domains: []\n", main))
	b.file("cron/"+spec.User, "")
	b.file("meta/dbprefix", "1")
	b.file("sslcerts/"+main+".crt", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
	for _, domain := range spec.Domains {
		b.file("dnszones/"+domain+".db", "; cPanel first:11.136.0.4\n$TTL 14400\n@ 86400 IN SOA ns1.example.net. admin.example.net. 2026112301 3600 1800 1209600 86400\n")
		b.file("userdata/"+domain, "---\ndomain: "+domain+"\n")
	}
}

// mysql writes the databases: a .create and a .sql of each, and the grants.
func (b *builder) mysql(spec ArchiveSpec) {
	grants := "-- cPanel mysql backup\n"
	for _, name := range slices.Sorted(maps.Keys(spec.Databases)) {
		dump := spec.Databases[name]
		if !whole(dump) {
			var framed strings.Builder
			_ = frame(&framed, name, dump, spec.Dump) // a Builder takes everything
			dump = framed.String()
		}
		b.file("mysql/"+name+".create", fmt.Sprintf("\nCREATE DATABASE /*!32312 IF NOT EXISTS*/ `%s` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\n", name))
		b.file("mysql/"+name+".sql", dump)
		b.file("mysql-timestamps/mysql", fmt.Sprint(b.when.Unix()))
		grants += fmt.Sprintf("GRANT ALL PRIVILEGES ON `%s`.* TO '%s'@'localhost';\n", strings.ReplaceAll(name, "_", `\_`), spec.User)
	}
	b.file("mysql.sql", grants)
}

// mail writes forwarders (va), domain forwarders (vad) and filters (vf).
func (b *builder) mail(spec ArchiveSpec) {
	for _, domain := range spec.Domains {
		lines := append(slices.Clone(spec.Forwarders[domain]), "*: "+spec.User)
		b.file("va/"+domain, strings.Join(lines, "\n")+"\n")
		b.file("vad/"+domain, "")
		b.file("vf/"+domain, spec.Filters[domain])
	}
}

func (b *builder) homedir(spec ArchiveSpec) {
	if !spec.HomeTar {
		b.dir("homedir")
		b.tree("homedir/", spec)
		return
	}
	var inner bytes.Buffer
	in := &builder{tar: tar.NewWriter(&inner), when: b.when}
	in.tree("", spec)
	if in.err == nil {
		in.err = in.tar.Close()
	}
	if b.err == nil {
		b.err = in.err
	}
	b.stream("homedir.tar", int64(inner.Len()), 0o644, time.Time{}, &inner)
}

// tree writes the files of the home directory.
func (b *builder) tree(prefix string, spec ArchiveSpec) {
	if spec.tree != nil {
		for _, name := range slices.Sorted(maps.Keys(spec.tree)) {
			b.node(prefix+name, spec.tree[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Files)) {
		if strings.HasSuffix(name, "/") {
			b.dir(prefix + strings.TrimSuffix(name, "/"))
			continue
		}
		b.stream(prefix+name, int64(len(spec.Files[name])), 0o644, time.Time{}, bytes.NewReader(spec.Files[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Links)) {
		b.link(prefix+name, spec.Links[name])
	}
	for i := range spec.Many {
		b.file(fmt.Sprintf("%spublic_html/many/%04d/file-%06d.txt", prefix, i/500, i), ManyContent(i))
	}
	if spec.Large > 0 {
		b.stream(prefix+"large.bin", spec.Large, 0o644, time.Time{}, io.LimitReader(noise(), spec.Large))
	}
}

func (b *builder) node(name string, n *node) {
	switch {
	case n.dir:
		b.dir(name)
	case n.link != "":
		b.link(name, n.link)
	default:
		content, err := n.open()
		if err != nil {
			b.err = err
			return
		}
		defer content.Close()
		size := n.size()
		b.stream(name, size, int64(n.mode.Perm()), n.mtime.Truncate(time.Second), io.LimitReader(content, size))
	}
}

// ManyContent is what the i-th of the many files holds.
func ManyContent(i int) string {
	return fmt.Sprintf("file %d\n%s\n", i, strings.Repeat(fmt.Sprintf("line %d of text. ", i*31%997), 1+i%40))
}

// noise is content that gzip cannot make smaller, the same each time.
func noise() io.Reader { return rand.NewChaCha8([32]byte{1}) }
