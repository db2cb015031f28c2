using System.Globalization;
using System.Runtime.InteropServices;
using FailoverHub.Bench;
using FailoverHub.Bench.History;
using FailoverHub.Bench.InProcess;
using FailoverHub.Bench.Load;
using FailoverHub.Bench.Probing;
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

if (args is ["history", .. var wanted])
{
    await HistoryBench.RunAsync(wanted, Console.Out);
    return 0;
}

if (args is ["bare", var port, var authority])
{
    await BareServer.ServeAsync(int.Parse(port, CultureInfo.InvariantCulture), authority);
    return 0;
}

using var cancelling = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);

// The hub under a fleet, on loopback, without namespaces.
if (args is ["hub", .. var asked])
{
    return await EndWellAsync(() => new HubLoad(LoadOptions.Read(asked), Console.Out).RunAsync(cancelling.Token));
}

// The prober with thousands of targets on loopback, and charts of a year.
if (args is ["probes", .. var many])
{
    return await EndWellAsync(() => ProbeBench.RunAsync(many, Console.Out, cancelling.Token));
}

return await EndWellAsync(async () =>
{
    var options = BenchOptions.Read(args);
    var results = await Bench.RunAsync(options, cancelling.Token);
    Console.Out.WriteLine(results.Markdown());
    if (options.Output is { } file)
    {
        await File.WriteAllTextAsync(file, results.Json(), cancelling.Token);
    }
});

// Exit code 2: the command line; 130: interrupted, with everything that was started ended; 1: could not be measured.
async Task<int> EndWellAsync(Func<Task> measure)
{
    try
    {
        await measure();
        return 0;
    }
    catch (FormatException exception)
    {
        Console.Error.WriteLine($"bench: {exception.Message}");
        return 2;
    }
    catch (OperationCanceledException) when (cancelling.IsCancellationRequested)
    {
        Console.Error.WriteLine("bench: interrupted");
        return 130;
    }
    catch (InvalidOperationException exception)
    {
        Console.Error.WriteLine($"bench: {exception.Message}");
        return 1;
    }
}

void Cancel(PosixSignalContext context)
{
    context.Cancel = true;
    cancelling.Cancel();
}
