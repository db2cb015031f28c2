using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace FailoverHub.Bench.Report;

/// <summary>What the figures depend on.</summary>
internal sealed record MachineFacts(DateTimeOffset At, int Cores, string Processor, string Kernel, string Runtime, double Load, string Versions)
{
    private const double TooBusy = 0.5;

    /// <summary>Null: nothing else seems to run here.</summary>
    public string? Warning => Load > TooBusy
        ? string.Create(CultureInfo.InvariantCulture, $"The load was {Load:0.00} at the start: something else runs here, trust the ratios only.")
        : null;

    public static MachineFacts Read(string versions) => new(
        TimeProvider.System.GetUtcNow(),
        Environment.ProcessorCount,
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown",
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        RuntimeInformation.FrameworkDescription,
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture),
        versions);

    public string Describe() => string.Create(
        CultureInfo.InvariantCulture, $"{Cores} cores ({Processor}), Linux {Kernel}, {Runtime}, load at the start {Load:0.00}. {Versions}.");

    public JsonObject Json() => new()
    {
        ["at"] = At.ToString("O", CultureInfo.InvariantCulture),
        ["cores"] = Cores,
        ["processor"] = Processor,
        ["kernel"] = Kernel,
        ["runtime"] = Runtime,
        ["loadAtStart"] = Load,
        ["versions"] = Versions,
    };
}
