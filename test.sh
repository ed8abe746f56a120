#!/usr/bin/env bash
# All tests of spawnx, with the real programs that they drive.
#
#   ./test.sh            everything: what a change must pass (.ci/run calls it)
#   ./test.sh --quick    format, vet, staticcheck, tests without the race detector
#   ./test.sh --stress [PACKAGE...]
#                        the concurrency and terminal tests 50 times, on one and on several processors,
#                        beside two busy loops
#   --no-install         do not install missing Debian packages, only name them
#
# It needs Go and bash. As root on Debian it installs the programs that the tests drive; otherwise it
# says which are missing. Every check runs, also after a failed one; the last line counts them all.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
root=$PWD

# What the tests drive: a command or file that must be there, and the Debian package that has it.
needs='
asciinema               asciinema
bash                    bash
bats                    bats
bc                      bc
busybox                 busybox-static
c++                     g++
cc                      gcc
cgdb                    cgdb
dlv                     delve
javac                   default-jdk-headless
lldb                    lldb
/usr/include/stdio.h    libc6-dev
chpasswd                passwd
dialog                  dialog
chromium                chromium
ed                      ed
expect                  expect
flock                   util-linux
gawk                    gawk
gdb                     gdb
git                     git
htop                    htop
java                    default-jdk-headless
less                    less
lua5.4                  lua5.4
mawk                    mawk
nc                      netcat-openbsd
mc                      mc
nano                    nano
node                    nodejs
npm                     npm
openssl                 openssl
passwd                  passwd
perl                    perl
/usr/lib/python3/dist-packages/pexpect  python3-pexpect
php                     php-cli
ps                      procps
python3                 python3
irb                     ruby
ruby                    ruby
screen                  screen
script                  bsdutils
/usr/lib/openssh/sftp-server  openssh-sftp-server
sqlite3                 sqlite3
ssh                     openssh-client
ssh-keygen              openssh-client
/usr/sbin/sshd          openssh-server
strace                  strace
stty                    coreutils
su                      util-linux
unshare                 util-linux
mount                   mount
tclsh                   tcl
tmux                    tmux
/usr/sbin/useradd       passwd
vim                     vim
vttest                  vttest
whiptail                whiptail
'
cross='linux/arm64 darwin/arm64 freebsd/amd64 windows/amd64'
# Inputs for each fuzz target. A time instead fails at its end now and then, without a finding: golang/go#75804.
fuzzes=10000x
stress_packages='ptyio proc bridge expect internal/shim cmd/spawnx'

mode=all install=yes
stress=()
while (($#)); do
	case $1 in
	--quick) mode=quick ;;
	--stress) mode=stress ;;
	--no-install) install=no ;;
	-h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; exit 0 ;;
	-*) echo "test.sh: unknown flag $1 (try --help)" >&2; exit 2 ;;
	*) stress+=("$1") ;;
	esac
	shift
done
if [[ $mode != stress && ${#stress[@]} -gt 0 ]]; then
	echo "test.sh: packages are for --stress" >&2
	exit 2
fi

# ---- reporting

passed=0 failed=0 failures=()
heading() { printf '\n[%4ds] %s\n' "$SECONDS" "$*"; }

# check NAME COMMAND... runs a check under its own heading. It counts as one, unless the command added
# counts of its own to $work/totals, as gotest does.
check() {
	heading "$1"
	"${@:2}"
	local status=$? p f
	((status == 0)) || failures+=("$1")
	if [[ ! -e $work/totals ]]; then
		((status == 0 ? passed++ : failed++))
		return
	fi
	while read -r p f; do
		((passed += p, failed += f))
	done <"$work/totals"
	rm "$work/totals"
}

finish() {
	heading 'done'
	((${#failures[@]} == 0)) || printf 'failed: %s\n' "${failures[@]}"
	printf '%d passed, %d failed\n' "$passed" "$failed"
	((failed == 0 && ${#failures[@]} == 0))
	exit
}

give_up() { # REASON: nothing below can run
	failures+=("$1")
	((failed++))
	finish
}

# ---- what must be there

have() { if [[ $1 == /* ]]; then [[ -e $1 ]]; else command -v "$1" >/dev/null; fi; }

missing() { # the packages that are missing, on one line
	while read -r thing package; do
		[[ -z $thing ]] || have "$thing" || echo "$package"
	done <<<"$needs" | sort -u | xargs
}

# apt ACTION... asks no questions; servers that a package brings are not started beside the tests.
apt() {
	DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" >/dev/null
}

install_missing() {
	local packages how try
	packages=$(missing)
	[[ -n $packages ]] || return 0
	how="apt-get install --no-install-recommends $packages"
	if [[ $install == no ]] || ((EUID != 0)) || ! command -v apt-get >/dev/null; then
		printf '%s\n' "missing (names of Debian packages): $packages" "install them as root: $how" >&2
		return 1
	fi
	echo "$how"
	for try in 1 2 3; do # first with the lists that are there, then with new ones, then once more
		((try == 1)) || apt update
		# shellcheck disable=SC2086 # one word each
		apt install --no-install-recommends $packages && break
	done
	packages=$(missing)
	[[ -z $packages ]] || { echo "still missing: $packages" >&2; return 1; }
}

# ---- the checks

modules() { find . -name go.mod -not -path '*/testdata/*' -exec dirname {} \; | sort; }

in_modules() { # COMMAND...: runs it in every module
	local dir bad=0
	for dir in $(modules); do
		(cd "$dir" && "$@") || { echo "in $dir" >&2; bad=1; }
	done
	return $bad
}

formatted() {
	local bad
	bad=$(gofmt -l .) || return
	[[ -z $bad ]] || { printf 'gofmt would change:\n%s\n' "$bad"; return 1; }
}

staticcheck() { go tool -modfile="$root/tools/go.mod" staticcheck ./...; }

# govulncheck looks for known holes in what is used. Where its database cannot be reached nothing is known.
govulncheck() {
	local out status
	out=$(go tool -modfile="$root/tools/go.mod" govulncheck ./... 2>&1)
	status=$?
	if ((status != 0)) && [[ $out == *'fetching vulnerabilities'* ]]; then
		echo 'not checked: vuln.go.dev cannot be reached'
		return 0
	fi
	echo "$out"
	return $status
}

# gotest ARGS... runs `go test` so that what it leaves behind is seen, and adds to the counts.
gotest() { TMPDIR=$work/tmp "$work/runtests" -totals "$work/totals" go test -json "$@"; }

# fuzz_one PACKAGE TARGET
fuzz_one() {
	local out
	if out=$(go test -run '^$' -fuzz "^$2\$" -fuzztime "$fuzzes" -parallel 1 "$1" 2>&1); then
		printf 'ok  \t%s %s\n' "$1" "$2"
	else
		printf '%s\n' "$out"
		return 1
	fi
}

# fuzz tries every target of every package, two at a time.
fuzz() {
	local line targets=() running=0 bad=0
	while read -r line; do
		case $line in
		Fuzz*) targets+=("$line") ;;
		ok*)
			set -- $line
			for line in ${targets[@]+"${targets[@]}"}; do
				((running < 2)) || { wait -n || bad=1; ((running--)); }
				fuzz_one "$2" "$line" &
				((++running))
			done
			targets=()
			;;
		esac
	done < <(go test -list '^Fuzz' ./...)
	while ((running-- > 0)); do
		wait -n || bad=1
	done
	return $bad
}

cross_build() (
	export GOOS=${1%/*} GOARCH=${1#*/} CGO_ENABLED=0
	go build ./... && go vet ./...
)

# tree prints what the clone holds beyond its commit, ignored files included.
tree() {
	[[ ! -e .git ]] || git -c safe.directory='*' status --porcelain --ignored
}

nothing_left() {
	local bad=0
	if [[ $(tree) != "$before" ]]; then
		echo 'the tests changed the tree:'
		diff <(echo "$before") <(tree)
		bad=1
	fi
	if [[ -n $(ls -A "$work/tmp") ]]; then
		echo 'the tests left temporary files:'
		(cd "$work/tmp" && find . | head -n 20)
		bad=1
	fi
	return $bad
}

stress_run() {
	local p packages=()
	for p in "${stress[@]}"; do
		[[ ! -d $p ]] || packages+=("./${p#./}")
	done
	((${#packages[@]})) || { echo "no such packages: ${stress[*]}" >&2; return 1; }
	go test -race -run '^$' "${packages[@]}" >/dev/null || return # built before it gets busy
	for p in 1 2; do
		while :; do :; done &
		busy+=($!)
	done
	gotest -race -count=50 -cpu 1,4 -timeout 120m "${packages[@]}"
}

# ---- the order of things

command -v go >/dev/null || give_up 'go is missing: get it from https://go.dev/dl/'
# A clone need not belong to who runs this; what tests build needs no version stamp.
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
# What is built with the race detector would sleep for a second whenever it exits.
export GORACE="atexit_sleep_ms=10 ${GORACE:-}"

work=$(mktemp -d "${TMPDIR:-/tmp}/spawnx-test.XXXXXX") || exit 1
busy=()
trap 'rm -rf "$work"; ((${#busy[@]} == 0)) || kill "${busy[@]}"' EXIT
mkdir "$work/tmp"
chmod 711 "$work" # programs of other users get at what tests leave for them there, as they would in /tmp
chmod 1777 "$work/tmp"
before=$(tree)

heading 'programs that the tests drive'
install_missing || give_up 'programs that the tests drive'
go -C tools build -o "$work/runtests" ./runtests || give_up 'build of tools/runtests'

if [[ $mode == stress ]]; then
	((${#stress[@]})) || read -ra stress <<<"$stress_packages"
	check "50 times: ${stress[*]}" stress_run
	finish
fi

check gofmt formatted
check vet in_modules go vet ./...
check staticcheck in_modules staticcheck
if [[ $mode == quick ]]; then
	check 'go test' in_modules gotest ./...
else
	check 'go test -race' in_modules gotest -race -p 4 -timeout 10m ./... # they wait more than they compute
	check govulncheck govulncheck
	check "fuzz, $fuzzes each" fuzz
	for target in $cross; do
		check "cross-build $target" cross_build "$target"
	done
fi
check 'nothing left behind' nothing_left
finish
