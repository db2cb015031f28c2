using FailoverHub.Browser.Tests.Trial;
using FailoverHub.Web.Tests.Telemetry.Traces.Otlp;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace FailoverHub.Browser.Tests;

/// <summary>From a click in a real browser to the UPDATE that a real agent has sent, as a collector gets it.</summary>
public sealed class TraceTests(TrialRun trial) : BrowserTest(trial)
{
    [Fact]
    public async Task Click_IsLinkedWithOneTraceFromTheRequestToTheUpdatesOfTheAgents()
    {
        var page = await OperatorAsync(PairPath);
        var before = Trial.Spans.Spans.Count;

        await CommandAsync(page.GetByTestId("action-switchover"), "from the click to the UPDATE");
        await Expect(page.GetByTestId("operation-panel")).ToHaveAttributeAsync("data-status", "Succeeded", new LocatorAssertionsToHaveAttributeOptions { Timeout = 60_000 });

        // They come in batches, and the click's own last.
        var spans = await Waiting.UntilAsync(
            () => Task.FromResult(Trial.Spans.Spans.Skip(before).ToArray()),
            all => all.Any(s => s.Name == "operation switchover") && all.Any(s => s.Name == "request switchover" && all.Any(c => IsAround(c, s))),
            "the spans of the operation and of the click",
            Cancelled);

        var request = Assert.Single(spans, s => s.Name == "request switchover");
        var click = Assert.Single(spans, s => IsAround(s, request));
        Assert.Contains("click", click.Name, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(click.Links, l => l.TraceId == request.TraceId && l.SpanId == request.SpanId);
        Assert.Contains("click", request.Attributes.Single(a => a.Key == "failoverhub.surrounding").Value.StringValue, StringComparison.OrdinalIgnoreCase);

        var operation = Assert.Single(spans, s => s.Name == "operation switchover");
        Assert.Equal((request.TraceId, request.SpanId), (operation.TraceId, operation.ParentSpanId));
        foreach (var node in new[] { "node-a", "node-b" })
        {
            var intent = Assert.Single(spans, s => s.Name == $"intent {node}" && s.TraceId == operation.TraceId);
            var atTheNode = Assert.Single(spans, s => s.ParentSpanId == intent.SpanId);
            Assert.Equal($"{node}: receipt to answer", atTheNode.Name);
            var update = Assert.Single(spans, s => s.ParentSpanId == atTheNode.SpanId && s.Name == $"{node}: UPDATE on 4 sessions");
            Assert.Equal((operation.SpanId, operation.TraceId), (intent.ParentSpanId, update.TraceId));
            Assert.InRange(update.EndTimeUnixNano, intent.StartTimeUnixNano, operation.EndTimeUnixNano);
        }
    }

    private static bool IsAround(Span around, Span request) => request.Links.Any(l => l.TraceId == around.TraceId && l.SpanId == around.SpanId);
}
