# Read by ctest when it starts: one ctest per suite of a GoogleTest program. One per test would spend
# more time on starting programs, under Wine or a sanitizer, than on testing.
#
#   in: program, launcher (a list, may be empty), prefix, properties (a list: name, value...)
set(known ${program}.suites)  # asked for once per build
if(NOT EXISTS ${known} OR ${program} IS_NEWER_THAN ${known})
  execute_process(COMMAND ${launcher} ${program} --gtest_list_tests
    OUTPUT_VARIABLE listed RESULT_VARIABLE code TIMEOUT 120)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${program} does not list its tests (${code}): was it built?")
  endif()
  # A suite's name ends in a dot, and only its tests are indented.
  string(REGEX MATCHALL "\n[^ \r\n.]+\\." suites "\n${listed}")
  list(TRANSFORM suites STRIP)
  file(WRITE ${known} "${suites}")
endif()
file(READ ${known} suites)
if(suites STREQUAL "")
  message(FATAL_ERROR "${program} lists no tests.")
endif()
foreach(suite IN LISTS suites)
  string(REGEX REPLACE "\\.$" "" name ${suite})
  add_test(${prefix}${name} ${launcher} ${program} --gtest_filter=${name}.*)
  set_tests_properties(${prefix}${name} PROPERTIES ${properties})
endforeach()
