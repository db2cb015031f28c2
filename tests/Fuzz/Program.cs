using System.Diagnostics;
using FailoverHub.Fuzz;
using SharpFuzz;

switch (args)
{
    case ["instrument", var assembly]:
        // Of a copy: the one that is tested and shipped stays as it is.
        foreach (var type in Fuzzer.Instrument(assembly, name => name.StartsWith("FailoverHub.Bgp", StringComparison.Ordinal), Options.Value))
        {
            Console.WriteLine(type);
        }

        return 0;
    case ["run"]:
        Fuzzer.Run(stream =>
        {
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            FuzzTarget.Run(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        });
        return 0;
    case ["replay", .. var paths]:
        var clock = Stopwatch.StartNew();
        var files = paths.SelectMany(path => Directory.Exists(path) ? Directory.GetFiles(path) : [path]).ToList();
        foreach (var file in files)
        {
            Console.WriteLine(file);
            FuzzTarget.Run(File.ReadAllBytes(file));
        }

        Console.WriteLine($"{files.Count} inputs in {clock.Elapsed.TotalMilliseconds:F0} ms, peak {Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB");
        return 0;
    default:
        Console.Error.WriteLine("usage: FailoverHub.Fuzz instrument ASSEMBLY | run | replay FILE-OR-FOLDER...");
        return 2;
}
