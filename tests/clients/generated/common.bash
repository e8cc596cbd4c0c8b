# Sourced by a `run`. It sets `generator`, says which documents and flavours the generator reads, and defines
#
#   generate   writes the client of $input into $folder/client, and what it says to standard output
#   compile    compiles it together with the story; warnings of the compiler are the lines that $warning matches
#   story      runs the story of $document against $BASE
#
# each of which fails the usual way. `run_all` then does this for each document and flavour, side by side in folders of
# their own, tells the outcome in $WORK/table.md, and fails if anything has. What the generator makes no working client
# of, though no document can help, `left_out` names ("app-offerings-3.1"); the README.md beside the `run` says why.
: "${BASE:?}" "${TEST_TOKEN:?}" "${TEST_CLIENT_ID:?}" "${TEST_CLIENT_SECRET:?}" "${TEST_APP_KEY:?}" "${TEST_SHARED_SECRET:?}"
: "${TOOLS:?}" "${WORK:?}"
root=$PWD
# DOCUMENTS=app-offerings FLAVOURS=3.1 tries one of them.
read -ra documents <<<"${DOCUMENTS:-app-offerings app-packages}"
read -ra flavours <<<"${FLAVOURS:-3.1 3.0.3}"
warning='warning'
left_out=
jar=$TOOLS/openapi-generator/openapi_generator_cli/openapi-generator.jar

# openapi-generator with the arguments, without manuals and samples of tests. It tells all steps, of which only what is
# wrong is of interest, once.
openapi_generator() {
  local code=0
  # It ends before more than the first stage of Java's compiler pays off: this halves its time.
  java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "$jar" generate --input-spec "$input" --output "$folder/client" \
    --global-property models,apis,supportingFiles,modelDocs=false,apiDocs=false,modelTests=false,apiTests=false \
    "$@" >"$folder/generator.log" 2>&1 || code=$?
  sed -nE 's/^\[main\] (WARN|ERROR)/\1/p; /^(Caused|Exception)/p' "$folder/generator.log" | sort | uniq --count
  return $code
}

run_all() {
  local failed=0 step code
  for document in "${documents[@]}"; do
    for flavour in "${flavours[@]}"; do
      if [[ " $left_out " = *" $document-$flavour "* ]]; then
        echo "== $document $flavour: left out, see the README.md of $generator"
        echo "| $generator | $document | $flavour | - | left out: README.md | - |" >>"$WORK/table.md"
        continue
      fi
      input=$root/openapi/$document.json
      [ "$flavour" = 3.1 ] || input=$root/openapi/$document-3.0.json
      folder=$WORK/$generator/$document-$flavour
      rm -rf "$folder"
      mkdir -p "$folder"
      local warnings=- compiles=no story=no
      for step in generate compile story; do
        echo "== $document $flavour: $step"
        # In a condition the shell would go on after failed commands of the step.
        set +e
        (set -e; "$step") >"$folder/$step.txt" 2>&1
        code=$?
        set -e
        cat "$folder/$step.txt"
        [ "$step" != compile ] || warnings=$(grep --count --extended-regexp "$warning" "$folder/$step.txt" || true)
        if ((code != 0)); then
          echo "FAILED with exit code $code: $generator, $document $flavour, $step"
          failed=1
          break
        fi
        [ "$step" != compile ] || compiles=yes
        [ "$step" != story ] || story=passes
      done
      printf '| %s | %s | %s | %s | %s | %s |\n' "$generator" "$document" "$flavour" "$warnings" "$compiles" "$story" >>"$WORK/table.md"
    done
  done
  return $failed
}
