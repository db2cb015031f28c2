using System.Globalization;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Operations;

/// <summary>Failback policies in words: for steps, for the audit, for pages and for scripts.</summary>
internal static class FailbackWords
{
    /// <summary>"after-stable 60 s".</summary>
    public static string Short(Failback failback) => failback.Policy == FailbackPolicy.AfterStable ? $"{Policy(failback.Policy)} {Seconds(failback)}" : Policy(failback.Policy);

    /// <summary>What a node does with it, after "a primary that returns": "announces as primary once it has been well for 60 s".</summary>
    public static string Does(Failback failback) => failback.Policy switch
    {
        FailbackPolicy.Immediate => "announces as primary at once",
        FailbackPolicy.AfterStable => $"announces as secondary until it has been well for {Seconds(failback)}",
        FailbackPolicy.Manual => "announces as secondary until an operator fails back",
        _ => "is not held back; with the same role on both nodes the address stays where it is",
    };

    /// <summary>"after 60 s", for a line where it stands beside the word "failback".</summary>
    public static string When(Failback failback) => failback.Policy switch
    {
        FailbackPolicy.Immediate => "at once",
        FailbackPolicy.AfterStable => $"after {Seconds(failback)} without a break",
        FailbackPolicy.Manual => "when an operator says so",
        _ => "never by itself (sticky)",
    };

    /// <summary>The word of the API and the audit.</summary>
    public static string Policy(FailbackPolicy policy) => policy switch
    {
        FailbackPolicy.Immediate => "immediate",
        FailbackPolicy.AfterStable => "after-stable",
        FailbackPolicy.Manual => "manual",
        _ => "sticky",
    };

    private static string Seconds(Failback failback) => failback.StableFor.TotalSeconds.ToString("0", CultureInfo.InvariantCulture) + " s";
}
