// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The Python module resnet_hls.simulate._cycles. Python code uses resnet_hls.simulate.cycles, which gives names to what
// this has numbers for.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "crashes.h"
#include "simulation.h"
#include "steady.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace resnet_hls::sim;

namespace {

using Steps = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Ports = std::vector<std::pair<int, Steps>>;
using Cycles = nb::ndarray<nb::numpy, Cycle, nb::ndim<1>>;

std::vector<Port> ports(const Ports& given) {
  std::vector<Port> result;
  for (const auto& [stream, steps] : given)
    result.push_back({stream, {steps.data(), steps.data() + steps.shape(0)}});
  return result;
}

Cycles array(const std::vector<Cycle>& cycles) {
  auto* copy = new std::vector<Cycle>(cycles);
  nb::capsule owner(copy, [](void* pointer) noexcept { delete static_cast<std::vector<Cycle>*>(pointer); });
  return Cycles(copy->data(), {copy->size()}, owner);
}

} // namespace

NB_MODULE(_cycles, module) {
  module.doc() = "Cycles of a network of tasks and FIFOs; and crashes, told in words.";
  module.attr("SOURCES_SHA256") = SOURCES_SHA256;
  module.def("end_with", &resnet_hls::end_with, "number"_a, "text"_a,
             "Makes a signal write a text to standard error and end the process with status 1.");

  nb::class_<Network>(module, "Network")
      .def(nb::init<>())
      .def("add_stream",
           [](Network& network, std::string name, Cycle latency) {
             network.streams.push_back({.name = std::move(name), .depth = unbounded, .latency = latency});
           })
      .def("add_task",
           [](Network& network, std::string name, std::int64_t iterations, std::int64_t interval, std::int64_t depth,
              const Ports& reads, const Ports& writes) {
             network.tasks.push_back({std::move(name), iterations, interval, depth, ports(reads), ports(writes)});
           })
      .def("connect", &Network::connect);

  nb::enum_<Wait>(module, "Wait")
      .value("NOTHING", Wait::nothing)
      .value("LIMIT", Wait::limit)
      .value("WORD", Wait::word)
      .value("ROOM", Wait::room)
      .value("ISSUE", Wait::issue)
      .value("PIPELINE", Wait::pipeline);

  nb::class_<Blocked>(module, "Blocked")
      .def_ro("task", &Blocked::task)
      .def_ro("writing", &Blocked::writing)
      .def_ro("wait", &Blocked::wait)
      .def_ro("stream", &Blocked::stream)
      .def_ro("since", &Blocked::since);

  nb::class_<Limit>(module, "Limit")
      .def_ro("task", &Limit::task)
      .def_ro("stream", &Limit::stream)
      .def_ro("full", &Limit::full)
      .def_ro("cycles", &Limit::cycles);

  nb::class_<TaskFigures>(module, "TaskFigures")
      .def_ro("busy", &TaskFigures::busy)
      .def_ro("stalls", &TaskFigures::stalls);

  nb::class_<StreamFigures>(module, "StreamFigures")
      .def_ro("peak", &StreamFigures::peak)
      .def_ro("full", &StreamFigures::full)
      .def_ro("empty", &StreamFigures::empty);

  nb::class_<Moved>(module, "Moved")
      .def_prop_ro(
          "written", [](const Moved& moved) { return array(moved.written); }, nb::rv_policy::move)
      .def_prop_ro("read", [](const Moved& moved) { return array(moved.read); }, nb::rv_policy::move);

  nb::class_<Simulation>(module, "Simulation")
      .def_ro("deadlock", &Simulation::deadlock)
      .def_ro("exceeded", &Simulation::exceeded)
      .def_ro("simulated", &Simulation::simulated)
      .def_ro("steady", &Simulation::steady)
      .def_ro("interval", &Simulation::interval)
      .def_ro("cycles", &Simulation::cycles)
      .def_ro("completed", &Simulation::completed)
      .def_ro("tasks", &Simulation::tasks)
      .def_ro("streams", &Simulation::streams)
      .def_ro("limits", &Simulation::limits)
      .def_ro("words", &Simulation::words);

  nb::class_<Steady::State>(module, "State")
      .def_ro("peaks", &Steady::State::peaks)
      .def("at", [](const Steady::State& state, int stream) {
        return std::pair(state.written[stream].serial, state.read[stream].serial);
      });

  nb::class_<Steady>(module, "Steady")
      .def(nb::init<const Network&, Cycle>(), "network"_a, "interval"_a, nb::keep_alive<1, 2>())
      .def("bound", &Steady::bound, "stream"_a, "depth"_a, nb::call_guard<nb::gil_scoped_release>())
      .def("state", &Steady::state, nb::rv_policy::copy)
      .def("restore", &Steady::restore)
      .def("latency", &Steady::latency)
      .def("words_moved", &Steady::words_moved);

  module.def(
      "simulate",
      [](Network network, const std::vector<std::int64_t>& depths, std::int64_t frames, Cycle most_cycles, bool skip,
         bool words) {
        for (std::size_t stream = 0; stream < network.streams.size(); ++stream)
          network.streams[stream].depth = depths.at(stream);
        nb::gil_scoped_release release;
        auto poll = [] {
          nb::gil_scoped_acquire acquire;
          if (PyErr_CheckSignals() != 0)
            throw nb::python_error();
        };
        return simulate(network, {frames, most_cycles, skip, words, poll});
      },
      "network"_a, "depths"_a, "frames"_a, "most_cycles"_a, "skip"_a, "words"_a);
}
