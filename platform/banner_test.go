package platform_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/musternet/muster/platform"
)

// banners are first lines of servers as they are documented, by platform. Names in them are invented.
var banners = map[string][]string{
	"cisco_ios":   {"SSH-2.0-Cisco-1.25", "SSH-1.99-Cisco-1.25", "SSH-1.5-Cisco-1.25", "User Access Verification"},
	"cisco_iosxr": {"SSH-2.0-Cisco-2.0", "SSH-1.99-Cisco-2.0"},
	"cisco_nxos":  {"SSH-2.0-OpenSSH_6.2 FIPS", "SSH-2.0-OpenSSH_5.8 FIPS"},
	"fortinet_fortios": {
		"SSH-2.0-FortiSSH_3.0", "SSH-1.99-FortiSSH_3.0", "SSH-2.0-xxxxxxx", "SSH-2.0-k7XzfQ2mBd", "SSH-2.0-Qw_9bV4t", "SSH-2.0-R5d_pl.uu",
	},
	"frr":               {"Hello, this is FRRouting (version 8.4.4)."},
	"mikrotik_routeros": {"SSH-2.0-ROSSSH", "220 gw1 FTP server (MikroTik 6.49.10) ready", "220 MikroTik FTP server (MikroTik v2.9.51) ready"},
	"linux": {
		"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.6", "SSH-2.0-OpenSSH_5.9p1 Debian-5ubuntu1.4",
		"SSH-2.0-OpenSSH_7.9p1 Raspbian-10+deb10u2", "SSH-2.0-dropbear_2022.83", "SSH-2.0-dropbear",
	},
}

// anybodys are first lines that speak of no platform that has a definition.
var anybodys = []string{
	"", " ", "\r\n", "SSH-2.0-", "SSH-2.0-OpenSSH_7.5", "SSH-2.0-OpenSSH_9.2p1", "SSH-2.0-OpenSSH_8.8 FreeBSD-20211221",
	"SSH-2.0-OpenSSH_for_Windows_8.1", "SSH-2.0-OpenSSH_8.0 PKIX[12.1]", "SSH-2.0-HUAWEI-1.5", "SSH-2.0-Comware-7.1.045", "SSH-2.0-CISCO_WLC",
	"SSH-2.0-Go", "SSH-2.0-libssh_0.9.6", "SSH-2.0-mod_sftp/0.9.9", "SSH-2.0-RomSShell_4.62", "SSH-2.0-NetScreen", "SSH-2.0-mpSSH_0.2.1",
	"SSH-2.0-IPSSH-6.6.0", "SSH-2.0-AsyncSSH_2.1.0", "SSH-2.0-JSCH-0.1.54", "SSH-2.0-SSHD-CORE-2.9.2", "SSH-2.0-AWS_SFTP_1.1",
	"not SSH-2.0-Cisco-1.25", "SSH-2.0-Cisco-1.25x", "220 mail.example.net ESMTP", "HTTP/1.0 400 Bad Request", "+OK",
	"\xff\xfd\x18\xff\xfd\x20\x00\x80\xfe",
}

func TestABannerNamesItsPlatform(t *testing.T) {
	t.Parallel()
	for want, lines := range banners {
		for _, line := range lines {
			for _, text := range []string{line, line + "\r\n", "\r\n" + line + "\nand more\n"} {
				if got, ok := platform.Guess(text); !ok || got != want {
					t.Errorf("%q: got %q, %v, want %s", text, got, ok, want)
				}
			}
		}
	}
}

func TestABannerThatIsAnybodysNamesNobody(t *testing.T) {
	t.Parallel()
	for _, line := range anybodys {
		if got, ok := platform.Guess(line); ok || got != "" {
			t.Errorf("%q: got %q, %v", line, got, ok)
		}
	}
}

func TestEachBannerPatternMatchesAnExampleOfItsPlatformAndNoOther(t *testing.T) {
	t.Parallel()
	for _, name := range platform.Names() {
		def, _ := platform.Lookup(name)
		for _, pattern := range def.BannerPatterns() {
			p := regexp.MustCompile(pattern)
			if !slices.ContainsFunc(banners[name], p.MatchString) {
				t.Errorf("%s: no example shows %s", name, pattern)
			}
			for other, lines := range banners {
				if i := slices.IndexFunc(lines, p.MatchString); i >= 0 && other != name {
					t.Errorf("%s: %s matches %q, which is %s", name, pattern, lines[i], other)
				}
			}
		}
	}
}

func TestAHostileBannerIsNotReadFar(t *testing.T) {
	t.Parallel()
	for what, banner := range map[string]string{
		"4 KB of x":                      "SSH-2.0-" + strings.Repeat("x", 4096),
		"4 KB of what almost matches":    "SSH-2.0-" + strings.Repeat("aB1", 1365),
		"4 KB of control bytes":          strings.Repeat("\x00\x1b[2J\xff", 680),
		"a name behind 4 KB of blanks":   strings.Repeat(" ", 4096) + "SSH-2.0-ROSSSH",
		"a name behind a control byte":   "\x00SSH-2.0-ROSSSH",
		"a name before a control byte":   "SSH-2.0-ROSSSH\x00",
		"a greeting that never ends":     "220 " + strings.Repeat("MikroTik FTP server (", 200) + ") ready",
		"a name in the line after a lie": "SSH-2.0-x\nSSH-2.0-ROSSSH",
	} {
		if got, ok := platform.Guess(banner); ok {
			t.Errorf("%s: got %q", what, got)
		}
	}
}

func FuzzGuess(f *testing.F) {
	for _, lines := range banners {
		for _, line := range lines {
			f.Add(line)
		}
	}
	for _, line := range anybodys {
		f.Add(line)
	}
	names := platform.Names()
	f.Fuzz(func(t *testing.T, banner string) {
		got, ok := platform.Guess(banner)
		if ok != slices.Contains(names, got) {
			t.Errorf("%q: got %q, %v", banner, got, ok)
		}
		if again, _ := platform.Guess(banner + strings.Repeat("\nmore", 100)); strings.TrimSpace(banner) != "" && len(banner) < 250 && again != got {
			t.Errorf("%q: more lines make %q of %q", banner, again, got)
		}
	})
}

func BenchmarkGuess(b *testing.B) {
	for b.Loop() {
		platform.Guess("SSH-2.0-OpenSSH_9.2p1")
	}
}
