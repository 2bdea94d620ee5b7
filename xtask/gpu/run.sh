#!/usr/bin/env bash
# Everything that only a GPU can show, in one call of less than ten minutes: tests, accuracy, times, and what the tools of NVIDIA and
# PyTorch say where they are found. Ends in a table; the full text of every part is beside it in the folder `out`.
#
#   ./run.sh                       the whole
#   SECONDS_LEFT=1700 ./run.sh     with more time for each part
#
# Variables: SECONDS_LEFT (for all parts together), SEEDS, EPOCHS, MODEL and STEPS (of step_time), ARGUMENTS (more for mnist_cnn), OUT.
set -u
here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-$here/out}
SECONDS_LEFT=${SECONDS_LEFT:-570} SEEDS=${SEEDS:-10} EPOCHS=${EPOCHS:-12} MODEL=${MODEL:-cnn} STEPS=${STEPS:-200}
ARGUMENTS=${ARGUMENTS:-}
mkdir -p "$OUT"
rm -f "$OUT"/*.log "$OUT/table.md"
[ -d "$here/mnist" ] && export MNIST_DIR=$here/mnist
# Another folder than the user's for what the driver has assembled: empty at first, so that the first run is a cold one.
export CUDA_CACHE_PATH=$OUT/cache
rm -rf "$CUDA_CACHE_PATH"

row() { # what, verdict, seconds, found
    printf '| %s | %s | %s | %s |\n' "$1" "$2" "$3" "$4" | tee -a "$OUT/table.md"
}

skip() { row "$1" skipped - "$2"; }

now() { date +%s.%N; }

since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.2f", b - a }'; }

# part NAME LIMIT COMMAND…: runs it into NAME.log, no longer than LIMIT seconds or what is left of all; leaves `verdict` and `took`.
part() {
    local name=$1 limit=$2 left=$((SECONDS_LEFT - SECONDS)) start
    shift 2
    verdict=skipped took=-
    [ "$left" -lt 5 ] && { echo 'no time is left' >"$OUT/$name.log"; return 1; }
    [ "$limit" -gt "$left" ] && limit=$left
    start=$(now)
    timeout -k 5 "$limit" "$@" >"$OUT/$name.log" 2>&1
    case $? in
        0) verdict=ok ;;
        124 | 137) verdict="over $limit s" ;;
        *) verdict=FAILED ;;
    esac
    took=$(since "$start")
    [ "$verdict" = ok ]
}

# The last line of a log with these words, or the last line of all, cut short.
found() { { grep -E "$2" "$OUT/$1.log" || cat "$OUT/$1.log"; } 2>/dev/null | tail -n 1 | tr '|' '/' | cut -c1-150; }

has() { command -v "$1" >/dev/null 2>&1; }

train() { # seed, precision
    local precision=()
    [ "$2" = default ] || precision=(--precision "$2")
    # shellcheck disable=SC2086
    "$here/bin/mnist_cnn" --device cuda --seed "$1" --epochs "$EPOCHS" "${precision[@]}" $ARGUMENTS
}

accuracy() { # precision
    local seed
    for ((seed = 0; seed < SEEDS; seed++)); do
        train "$seed" "$1" | grep -E '^Test (loss|accuracy)' || return 1
    done
}

twice() {
    local one two
    one=$("$here/bin/step_time" "$MODEL" --steps "$STEPS" --data "$data" --hash | grep weights) || return 1
    two=$("$here/bin/step_time" "$MODEL" --steps "$STEPS" --data "$data" --hash | grep weights) || return 1
    echo "$one"
    [ "$one" = "$two" ] || { echo "the second run has other $two"; return 1; }
}

export -f train accuracy twice
export here OUT SEEDS EPOCHS MODEL STEPS ARGUMENTS
export data=${MNIST_DIR:-synthetic}
printf '%s, %s\n\n' "$(cat "$here/commit" 2>/dev/null || echo unknown)" "$(date -u +%F)" | tee "$OUT/table.md"
row what verdict seconds found
row --- --- ---: ---

if has nvidia-smi; then
    part smi 20 nvidia-smi
    row nvidia-smi "$verdict" "$took" "$(nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm --format=csv,noheader | head -n 1)"
else
    skip nvidia-smi "it is not here"
fi

part doctor 90 "$here/bin/doctor"
row "every op against the CPU" "$verdict" "$took" "$(found doctor '^checks')"
if grep -q 'gpu: *none' "$OUT/doctor.log"; then
    row "the rest" skipped - "$(found doctor 'gpu:')"
    exit 1
fi

# Cold: with an empty cache for these kernels the driver assembles them all; warm: it finds them.
rm -rf "$CUDA_CACHE_PATH"
for state in cold warm; do
    part "wall-$state" 60 bash -c 'train 0 default'
    row "mnist_cnn, $EPOCHS epochs, wall clock, $state" "$verdict" "$took" "$(found "wall-$state" '^Test accuracy')"
done

part suite 150 "$here/tests/cuda" --skip refusals
row "the CUDA tests" "$verdict" "$took" "$(found suite '^test result')"

# Every product that the kernels of compute capability 9.0 alone can compute, small ones included; elsewhere the same tests again.
part suite-wgmma 100 env COTANGENT_WGMMA=1 "$here/tests/cuda" precision:: tiles:: products:: training::
row "the CUDA tests of products, COTANGENT_WGMMA=1" "$verdict" "$took" "$(found suite-wgmma '^test result')"

for wgmma in 0 1; do
    part "matmul-$wgmma" 30 env COTANGENT_WGMMA=$wgmma "$here/bin/matmul_time"
    row "products of 4096³, COTANGENT_WGMMA=$wgmma" "$verdict" "$took" "$(grep -oE '^[a-z0-9]+: .*TFLOP/s' "$OUT/matmul-$wgmma.log" | tr '\n' ';')"
done

part same 60 bash -c twice
row "two runs of $STEPS steps, the same bits" "$verdict" "$took" "$(found same weights)"

part step 60 "$here/bin/step_time" "$MODEL" --steps "$STEPS" --data "$data"
row "one step, batches from the host" "$verdict" "$took" "$(found step median)"

precisions=default
"$here/bin/mnist_cnn" --help | grep -q -- --precision && precisions="fp32 tf32 bf16"
for precision in $precisions; do
    part "accuracy-$precision" 100 bash -c "accuracy $precision"
    mean=$(awk '/accuracy/ { n++; sum += $NF } END { if (n) printf "mean %.4f over %d seeds", sum / n, n }' "$OUT/accuracy-$precision.log" 2>/dev/null)
    row "accuracy, $precision" "$verdict" "$took" "$mean"
done

# What assembling costs: the same short run without any cache.
for state in cache none; do
    [ $state = none ] && disable=1 || disable=0
    part "jit-$state" 60 env CUDA_CACHE_DISABLE=$disable "$here/bin/step_time" "$MODEL" --steps 1 --data "$data"
    row "one step and all before it, assembled kernels: $state" "$verdict" "$took" "$(found "jit-$state" median)"
done
part jit-forced 60 env CUDA_FORCE_PTX_JIT=1 "$here/bin/step_time" "$MODEL" --steps 1 --data "$data"
row "the same with CUDA_FORCE_PTX_JIT" "$verdict" "$took" "$(found jit-forced median)"

if has python3 && python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    part torch 120 python3 "$here/torch_mnist.py" "$data"
    row "PyTorch, the same network" "$verdict" "$took" "$(found torch '^torch')"
    grep -E '^(ms|GB|TFLOP)' "$OUT/torch.log" | while read -r line; do row "PyTorch" "" - "$line"; done
else
    skip "PyTorch, the same network" "torch with CUDA is not here"
fi

for tool in memcheck racecheck initcheck synccheck; do
    if has compute-sanitizer; then
        part "$tool" 60 compute-sanitizer --tool "$tool" --error-exitcode 1 "$here/tests/cuda" --test-threads 1 \
            products_of_many windows::a_convolution index::views reductions::a_strided
        row "compute-sanitizer $tool" "$verdict" "$took" "$(found "$tool" 'ERROR SUMMARY|RACECHECK SUMMARY')"
    else
        skip "compute-sanitizer $tool" "it is not here"
    fi
done

if has ncu; then
    part ncu 60 ncu --clock-control none --set full --launch-skip 400 --launch-count 60 --force-overwrite --export "$OUT/step" \
        "$here/bin/step_time" "$MODEL" --steps 1 --data "$data"
    row "ncu, the kernels of a step" "$verdict" "$took" "$(found ncu 'Report')"
    ncu --import "$OUT/step.ncu-rep" --csv --page raw >"$OUT/step.csv" 2>/dev/null
else
    skip "ncu, the kernels of a step" "it is not here"
fi

printf '\n%s s in all; the table is %s\n\n' "$SECONDS" "$OUT/table.md"
cat "$OUT/table.md"
! grep -q FAILED "$OUT/table.md"
