using System.Globalization;

namespace FailoverHub.Web.Reachability.Outages;

/// <summary>What a move cost, in a sentence. Pure.</summary>
internal static class OutageSentences
{
    /// <summary>"203.0.113.10/32: failover from node-a to node-b. 84 of 400 probes from the hub were lost …"</summary>
    public static string Of(OutageRecord outage) => $"{outage.Prefix}: {Word(outage.Kind)}{Nodes(outage)}. {Of(outage.Figures, outage.VantageName)}";

    /// <summary>"84 of 400 probes from the hub were lost, the first at …"</summary>
    public static string Of(OutageFigures figures, string vantage) => figures switch
    {
        { Sent: 0 } => $"It was not probed from {From(vantage)}: what it cost is not known.",
        { Lost: 0 } => string.Create(CultureInfo.InvariantCulture, $"All {figures.Sent} probes from {From(vantage)} were answered; an outage of less than {figures.Resolution.TotalSeconds:0.0##} s would not have been seen."),
        _ => string.Create(
            CultureInfo.InvariantCulture,
            $"{figures.Lost} of {figures.Sent} probes from {From(vantage)} were lost, the first at {figures.FirstLossAt!.Value.UtcDateTime:HH:mm:ss.fff} and the last at {figures.LastLossAt!.Value.UtcDateTime:HH:mm:ss.fff} UTC; ")
            + (figures.GoesOn ? "it had not ended when it was measured" : $"without an answer for {Span(figures)}")
            + string.Create(CultureInfo.InvariantCulture, $", probed each {figures.Resolution.TotalSeconds:0.0##} s.")
            + (figures.Unprobed is { } unprobed ? string.Create(CultureInfo.InvariantCulture, $" For {unprobed.TotalSeconds:0} s of that nothing is known: {From(vantage)} was not running, or was cut off itself.") : ""),
    };

    /// <summary>How long there was no answer, as exactly as the probes show it: "2.93 to 2.95 s".</summary>
    public static string Span(OutageFigures figures) => figures.Shortest is { } shortest
        ? string.Create(CultureInfo.InvariantCulture, $"{shortest.TotalSeconds:0.00} to {figures.Longest.TotalSeconds:0.00} s")
        : string.Create(CultureInfo.InvariantCulture, $"{figures.Longest.TotalSeconds:0.0#} s at most");

    /// <summary>"failover".</summary>
    public static string Word(MoveKind kind) => kind switch
    {
        MoveKind.Switchover => "switchover",
        MoveKind.Failback => "failback",
        MoveKind.ForcePromote => "promotion by force",
        MoveKind.Failover => "failover",
        MoveKind.FailbackByItself => "failback by itself",
        MoveKind.TakeBack => "taking back",
        _ => "change",
    };

    private static string From(string vantage) => vantage == "hub" ? "the hub" : vantage;

    /// <summary>" from node-a to node-b"; empty: nothing of it is known.</summary>
    public static string Nodes(OutageRecord outage) => (outage.From, outage.To) switch
    {
        ({ } from, { } to) when from == to => outage.Kind switch
        {
            MoveKind.Switchover or MoveKind.Failback or MoveKind.ForcePromote => $" from {from} that was taken back",
            MoveKind.Change => $" with {from} active before and after",
            _ => $" from {from} and back",
        },
        ({ } from, { } to) => $" from {from} to {to}",
        (null, { } to) => $" to {to}",
        ({ } from, null) => $" from {from}",
        _ => "",
    };
}
