using System.Collections.Immutable;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using FailoverHub.Bench.Lab;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Reachability.Probing;
using FailoverHub.Web.Reachability.Storage;
using FailoverHub.Web.Reachability.Targets;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace FailoverHub.Bench.Probing;

/// <summary>
/// The hub's own prober and its store over a real database, with thousands of targets on loopback (127/8), one probe a second each: how late probes are sent, what
/// that costs the processor and the disk, and how long charts of a year of probes take. `./bench.sh probes [TARGETS] [SECONDS]`.
/// </summary>
internal static class ProbeBench
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);

    /// <param name="arguments">[TARGETS] [SECONDS]: 5,000 and 60 when left out.</param>
    /// <param name="output">For the table.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public static async Task RunAsync(string[] arguments, TextWriter output, CancellationToken cancellationToken)
    {
        int targets = arguments.Length > 0 ? Number(arguments[0]) : ProbeTarget.Most;
        int seconds = arguments.Length > 1 ? Number(arguments[1]) : 60;
        string folder = Directory.CreateTempSubdirectory("failoverhub-bench-").FullName;
        try
        {
            await using ServiceProvider services = new ServiceCollection().AddMetrics().AddHubDatabase(folder, DatabaseSetting.InDataFolder).BuildServiceProvider();
            var factory = services.GetRequiredService<IDbContextFactory<HubDbContext>>();
            await HubDatabase.MigrateAsync(factory, cancellationToken);
            await using var writer = new HubWriter(factory, TimeProvider.System, NullLogger<HubWriter>.Instance);
            _ = writer.Start();
            using var store = new ProbeSampleStore(factory, writer, TimeProvider.System, NullLogger<ProbeSampleStore>.Instance);
            await ProbeAsync(services, writer, store, targets, seconds, output, cancellationToken);
            await new ChartBench(factory, store).RunAsync(output, cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task ProbeAsync(ServiceProvider services, HubWriter writer, ProbeSampleStore store, int targets, int seconds, TextWriter output, CancellationToken cancellationToken)
    {
        var lateness = new List<double>(targets * seconds * 2);
        bool counting = false;
        using var listener = new MeterListener { InstrumentPublished = (instrument, all) => { if (instrument.Name is "failoverhub.probe.lateness" or "failoverhub.probe.missed") { all.EnableMeasurementEvents(instrument); } } };
        listener.SetMeasurementEventCallback<double>((_, late, _, _) => { if (counting) { lateness.Add(late); } });
        long missed = 0;
        listener.SetMeasurementEventCallback<long>((_, more, _, _) => missed += counting ? more : 0);
        listener.Start();

        await using var icmp = new IcmpProbe(TimeProvider.System);
        var record = new Counting(store);
        ImmutableArray<ProbeTarget> added = [.. Enumerable.Range(0, targets).Select(i => Target(i, icmp))];
        var view = new ReachabilityView(TimeProvider.System, store, icmp);
        var tools = new ProberTools(TimeProvider.System, NullLogger<Prober>.Instance, services.GetRequiredService<IMeterFactory>(), () => [], () => added);
        using var prober = new Prober(new NoPairs(), icmp, view, record, tools);
        await store.StartAsync(cancellationToken);
        await prober.StartAsync(cancellationToken);
        await Pause.ForAsync(WarmUp, cancellationToken);
        TimeSpan processor = Environment.CpuUsage.TotalTime;
        (long sent, long lost) = (record.Sent, record.Lost);
        long began = Stopwatch.GetTimestamp();
        counting = true;
        await Pause.ForAsync(TimeSpan.FromSeconds(seconds), cancellationToken);
        counting = false;
        double elapsed = Stopwatch.GetElapsedTime(began).TotalSeconds;
        double used = (Environment.CpuUsage.TotalTime - processor).TotalSeconds / elapsed;
        (sent, lost) = (record.Sent - sent, record.Lost - lost);
        await prober.StopAsync(CancellationToken.None);
        await store.StopAsync(CancellationToken.None);
        await writer.FlushAsync(CancellationToken.None);
        double[] sorted = [.. lateness.Order()];
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{targets} targets for {elapsed:0} s: {sent / elapsed:0} results a second, {lost} unanswered, {missed} missed by the hub itself; lateness p50 {At(sorted, 0.5):0.0} ms, p99 {At(sorted, 0.99):0.0} ms, most {At(sorted, 1):0.0} ms; {100 * used:0} % of one core; {Environment.WorkingSet / 1048576} MiB resident."));
    }

    private static ProbeTarget Target(int number, IProbe probe)
    {
        NamedTarget target = NamedTarget.TryCreate(new NamedTargetDraft { Name = $"t{number}", Kind = NamedTargetKind.Icmp, Address = $"127.100.{number / 250}.{(number % 250) + 1}" }, out _)!;
        return new ProbeTarget(ProbeTarget.Alone(target.Host!), target.Host!, "") { Id = target.Id, Named = target, Probe = probe };
    }

    private static double At(double[] sorted, double part) => sorted.Length == 0 ? double.NaN : sorted[(int)Math.Ceiling(part * sorted.Length) - 1];

    private static int Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is >= 1 and <= 100_000 ? number : throw new FormatException($"'{text}' is no number from 1 to 100000.");

    /// <summary>What comes back, into the store as in the hub.</summary>
    private sealed class Counting(ProbeSampleStore store) : IProbeRecord
    {
        private long _sent;
        private long _lost;

        public long Sent => Interlocked.Read(ref _sent);

        public long Lost => Interlocked.Read(ref _lost);

        public void Sample(ProbeTarget target, ProbeSample sample)
        {
            store.Add(new ProbeSeries(target.Id, ProbeSeries.Hub), target.Interval, sample);
            Interlocked.Increment(ref _sent);
            Interlocked.Add(ref _lost, sample.Answered ? 0 : 1);
        }

        public void Change(ReachabilityChange change)
        {
        }

        public void HubCutOff(string? problem, DateTimeOffset at)
        {
        }
    }

    private sealed class NoPairs : IFleetView
    {
        public FleetSnapshot Current => FleetSnapshot.Empty;

        public async IAsyncEnumerable<FleetSnapshot> WatchAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.CompletedTask;
            yield return Current;
        }
    }
}
