# SPDX-License-Identifier: Apache-2.0
# bash completion of spikeloom. Written by scripts/make-manuals from the output of --help.

# Folders, and files with an ending ($1; -d: folders only).
_spikeloom_files() {
    local IFS=$'\n'
    compopt -o filenames
    COMPREPLY=($(compgen -d -- "$word"))
    [ "$1" = -d ] || COMPREPLY+=($(compgen -f -X "!*.$1" -- "$word"))
}

_spikeloom() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]}
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "run map noc cim train inspect validate schema sweep -h --help --version" -- "$word"))
        return
    fi
    case "$verb" in
        run)
            case "$before" in
                -o|--output) _spikeloom_files -d; return ;;
                --set) return ;;
                --fail-if) return ;;
                --threads) return ;;
                --seed) return ;;
                --vcd) _spikeloom_files vcd; return ;;
                --vcd-signals) return ;;
                --engine) COMPREPLY=($(compgen -W "systemc plain" -- "$word")); return ;;
                --shuffle) return ;;
                --log-level) COMPREPLY=($(compgen -W "debug info note warning off" -- "$word")); return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version -o --output --set --fail-if --threads --seed --json -q --quiet --vcd --vcd-signals --engine --shuffle -v --verbose --log-level" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
        map)
            case "$before" in
                --set) return ;;
                --log-level) COMPREPLY=($(compgen -W "debug info note warning off" -- "$word")); return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version --set --dump -v --verbose --log-level" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
        noc)
            case "$before" in
                -o|--output) _spikeloom_files -d; return ;;
                --set) return ;;
                --fail-if) return ;;
                --threads) return ;;
                --seed) return ;;
                --log-level) COMPREPLY=($(compgen -W "debug info note warning off" -- "$word")); return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version -o --output --set --fail-if --threads --seed --sweep-load --json -q --quiet -v --verbose --log-level" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
        cim)
            case "$before" in
                --weights) _spikeloom_files npy; return ;;
                --inputs) _spikeloom_files npy; return ;;
                -o|--output) _spikeloom_files -d; return ;;
                --set) return ;;
                --seed) return ;;
                --log-level) COMPREPLY=($(compgen -W "debug info note warning off" -- "$word")); return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version --weights --inputs -o --output --set --seed --json -v --verbose --log-level" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
        train)
            case "$before" in
                -o|--output) _spikeloom_files -d; return ;;
                --set) return ;;
                --fail-if) return ;;
                --fidelity) COMPREPLY=($(compgen -W "functional cycle estimate" -- "$word")); return ;;
                --steps) return ;;
                --seed) return ;;
                --log-level) COMPREPLY=($(compgen -W "debug info note warning off" -- "$word")); return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version -o --output --set --fail-if --fidelity --steps --seed --resume --json -q --quiet -v --verbose --log-level" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
        inspect)
            case "$before" in
                --log-level) COMPREPLY=($(compgen -W "debug info note warning off" -- "$word")); return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version --repair -v --verbose --log-level" -- "$word"))
                return
            fi
            _spikeloom_files nir
            ;;
        validate)
            case "$before" in
                --set) return ;;
                --log-level) COMPREPLY=($(compgen -W "debug info note warning off" -- "$word")); return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version --set -v --verbose --log-level" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
        schema)
            case "$before" in
                --log-level) COMPREPLY=($(compgen -W "debug info note warning off" -- "$word")); return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version -v --verbose --log-level" -- "$word"))
                return
            fi
            COMPREPLY=($(compgen -W "run train sweep noc cim chip training-chip fabric energy" -- "$word"))
            ;;
        sweep)
            case "$before" in
                -o|--output) _spikeloom_files -d; return ;;
                -j|--jobs) return ;;
                --log-level) COMPREPLY=($(compgen -W "debug info note warning off" -- "$word")); return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version -o --output -j --jobs -q --quiet -v --verbose --log-level" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
    esac
}
complete -F _spikeloom spikeloom
