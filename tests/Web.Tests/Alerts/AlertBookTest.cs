using FailoverHub.Web.Alerts;
using FailoverHub.Web.Alerts.Book;
using FailoverHub.Web.Alerts.Conditions;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Tests.Components.Fakes;
using static FailoverHub.Web.Tests.Alerts.AlertMaking;

namespace FailoverHub.Web.Tests.Alerts;

/// <summary>A book that is looked at second by second, and what came of it. Seconds are values here.</summary>
public abstract class AlertBookTest
{
    private int _ids;

    private protected List<AlertNotice> Notices { get; } = [];

    private protected List<AlertEvent> Events { get; } = [];

    private protected AlertBook Book { get; set; } = AlertBook.Empty;

    private protected Alert Active => Assert.Single(Book.Active).Value;

    private protected string Told => string.Join(' ', Notices.Select(n => n.Kind));

    private protected AlertStep Look(int second, params Finding[] findings) => Look(second, Policy(), findings);

    private protected AlertStep Look(int second, AlertPolicy policy, params Finding[] findings) => Look(new Moment(Make.At.AddSeconds(second), TimeSpan.FromSeconds(second)), policy, findings);

    private protected AlertStep Look(DateTimeOffset wall, int uptime, params Finding[] findings) => Look(new Moment(wall, TimeSpan.FromSeconds(uptime)), Policy(), findings);

    private protected AlertStep Look(Moment now, AlertPolicy policy, Finding[] findings)
    {
        AlertStep step = AlertReducer.Look(Book, findings, policy, now, () => $"alert-{++_ids}");
        Take(step);
        return step;
    }

    private protected void Take(AlertStep step)
    {
        Book = step.Book;
        Notices.AddRange(step.Notices);
        Events.AddRange(step.Events);
    }
}
