using System.Globalization;
using FailoverHub.Web.Reachability;

namespace FailoverHub.Web.Components.Pages.History.Stories;

/// <summary>A measured outage in words. Pure.</summary>
internal static class OutageWords
{
    public static string Of(MeasuredOutage outage) => outage switch
    {
        { Probes: 0 } => "was not probed in that time, or its probes are not kept any more: nothing is known.",
        { Longest: null } => string.Create(CultureInfo.InvariantCulture, $"answered all {outage.Probes} probes."),
        { Ended: null } => string.Create(CultureInfo.InvariantCulture, $"did not answer {outage.Unanswered} of {outage.Probes} probes, and had not answered again {outage.Longest.Value.TotalSeconds:0.0} s after its last answer."),
        _ => string.Create(CultureInfo.InvariantCulture, $"did not answer {outage.Unanswered} of {outage.Probes} probes; at most {outage.Longest.Value.TotalSeconds:0.0} s from one answer to the next."),
    };
}
