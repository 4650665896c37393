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
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version -o --output --set --fail-if --threads --seed --json -q --quiet --vcd --vcd-signals --engine --shuffle" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
        map)
            case "$before" in
                --set) return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version --set --dump" -- "$word"))
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
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version -o --output --set --fail-if --threads --seed --sweep-load --json -q --quiet" -- "$word"))
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
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version --weights --inputs -o --output --set --seed --json" -- "$word"))
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
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version -o --output --set --fail-if --fidelity --steps --seed --resume --json -q --quiet" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
        inspect)
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version --repair" -- "$word"))
                return
            fi
            _spikeloom_files nir
            ;;
        validate)
            case "$before" in
                --set) return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version --set" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
        schema)
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version" -- "$word"))
                return
            fi
            COMPREPLY=($(compgen -W "chip run train energy noc cim" -- "$word"))
            ;;
        sweep)
            case "$before" in
                -o|--output) _spikeloom_files -d; return ;;
                -j|--jobs) return ;;
            esac
            if [[ "$word" == -* ]]; then
                COMPREPLY=($(compgen -W "-h --help --version -o --output -j --jobs -q --quiet" -- "$word"))
                return
            fi
            _spikeloom_files yaml
            ;;
    esac
}
complete -F _spikeloom spikeloom
