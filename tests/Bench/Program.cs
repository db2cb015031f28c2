using System.Globalization;
using System.Runtime.InteropServices;
using FailoverHub.Bench;
using FailoverHub.Bench.History;
using FailoverHub.Bench.InProcess;
using FailoverHub.Bench.Load;
using FailoverHub.Bench.Rows;

// Started by bench.sh, as the first process of namespaces of its own: when it ends, all that it has started ends.
if (args is ["busy", var kind])
{
    Lateness.BeBusy(kind == "memory");
}

if (args is ["lateness", var seconds])
{
    await KeepaliveLateness.RunAsync(int.Parse(seconds, CultureInfo.InvariantCulture), Console.Out);
    return 0;
}

if (args is ["history", .. var count])
{
    await HistoryBench.RunAsync(count is [var many] ? int.Parse(many, CultureInfo.InvariantCulture) : 1_000_000, Console.Out);
    return 0;
}

// hub PROGRAM AGENTS SECONDS: the hub under a fleet, on loopback, without namespaces.
if (args is ["hub", var program, var agents, var watched])
{
    using var ending = new CancellationTokenSource();
    using var stopped = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
    {
        context.Cancel = true;
        ending.Cancel();
    });
    await new HubLoad(program, int.Parse(agents, CultureInfo.InvariantCulture), TimeSpan.FromSeconds(int.Parse(watched, CultureInfo.InvariantCulture)), Console.Out).RunAsync(ending.Token);
    return 0;
}

BenchOptions options;
try
{
    options = BenchOptions.Read(args);
}
catch (FormatException exception)
{
    Console.Error.WriteLine($"bench: {exception.Message}");
    return 2;
}

using var cancelling = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
try
{
    var results = await Bench.RunAsync(options, cancelling.Token);
    Console.Out.WriteLine(results.Markdown());
    if (options.Output is { } file)
    {
        await File.WriteAllTextAsync(file, results.Json(), cancelling.Token);
    }

    return 0;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("bench: interrupted");
    return 130;
}
catch (InvalidOperationException exception)
{
    Console.Error.WriteLine($"bench: {exception.Message}");
    return 1;
}

void Cancel(PosixSignalContext context)
{
    context.Cancel = true;
    cancelling.Cancel();
}
