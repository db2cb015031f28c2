using System.Collections.Immutable;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Operations.Bulk;
using FailoverHub.Web.Operations.Drills;
using FailoverHub.Web.Operations.Freezes;
using FailoverHub.Web.Operations.Rules;
using static FailoverHub.Web.Tests.Fleet.Fleets;
using static FailoverHub.Web.Tests.Operations.SafetyRulesTests;

namespace FailoverHub.Web.Tests.Operations.Rules;

/// <summary>Every type of operation against every rule: which of them are asked, and what each does when it stands in the way.</summary>
public sealed class RuleTableTests
{
    // "-": not asked. "p": asked, and there is nothing in such a request that it could refuse. "r": refuses. "o": refuses, and can be overridden by name.
    // SR-09 is asked only of what the hub does by itself, SR-11 only where two people are wanted: below.
    private const string Table = """
                        01 02 03 04 05 06 07 08 12 13 14
        switchover      p  -  r  r  r  o  r  r  -  -  r
        failback        p  -  r  r  r  o  r  r  -  -  r
        force-promote   p  o  r  r  r  o  r  r  -  -  r
        drain           o  -  r  r  r  o  r  r  -  -  r
        undrain         p  -  r  r  r  -  r  r  r  -  r
        set-role        p  o  r  r  r  -  r  r  -  -  r
        set-failback    p  -  r  r  r  -  r  r  p  -  r
        reset-session   o  -  r  r  r  -  r  r  r  -  r
        freeze          -  -  -  r  -  -  -  -  -  -  r
        unfreeze        -  -  -  r  -  -  -  -  -  -  r
        drill           p  -  r  r  r  o  r  r  -  -  r
        bulk-drain      -  -  -  -  -  -  -  r  -  o  r
        """;

    private static readonly string[] Able = ["failback", "reset-session", "local-commands"];

    public static TheoryData<string, string, char> Cells
    {
        get
        {
            var cells = new TheoryData<string, string, char>();
            var lines = Table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
            foreach (var row in lines.Skip(1))
            {
                for (var i = 1; i < row.Length; i++)
                {
                    cells.Add(row[0], $"SR-{lines[0][i - 1]}", row[i][0]);
                }
            }

            return cells;
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Rule_OfEachType_IsAskedAndRefusesAsTheTableSays(string type, string rule, char cell)
    {
        var asked = Check(type, null).ToDictionary(r => r.RuleId);
        Assert.All(asked.Values, r => Assert.False(r.Blocks, $"{r.RuleId} stands in the way of a {type} where nothing is wrong: {r.Message}"));
        Assert.Equal(cell != '-', asked.ContainsKey(rule));
        if (cell is '-' or 'p')
        {
            return;
        }

        var refused = Check(type, rule).Single(r => r.RuleId == rule);
        var named = Check(type, rule, rule).Single(r => r.RuleId == rule);

        Assert.True(refused.Blocks, $"{rule} lets a {type} pass: {refused.Message}");
        Assert.Equal(cell == 'o', refused.CanOverride);
        Assert.Equal(cell == 'r', named.Blocks);
        Assert.False(string.IsNullOrEmpty(refused.Remedy), "It does not say what to do.");
        Assert.Equal(rule switch { "SR-04" => 412, "SR-06" => 429, "SR-07" => 423, "SR-14" => 422, _ => 409 }, refused.HttpStatus);
        Assert.Equal(rule is "SR-06" or "SR-07" or "SR-08", refused.RetryAfter is not null);
    }

    [Fact]
    public void EveryTypeAndEveryRule_HasItsPlaceInTheTable()
    {
        Assert.Equal(Enum.GetValues<OperationType>().Select(Web.Operations.Records.OperationRecords.TypeWord).Order(), Cells.Select(c => c.Data.Item1).Distinct().Order());
        Assert.Equal(SafetyRules.Ids.Except(["SR-09", "SR-11"]), Cells.Select(c => c.Data.Item2).Distinct());
    }

    [Theory]
    [InlineData("switchover")]
    [InlineData("failback")]
    [InlineData("force-promote")]
    [InlineData("drain")]
    [InlineData("set-role")]
    [InlineData("set-failback")]
    [InlineData("reset-session")]
    public void TwoPerson_WhereItIsWantedForAll_IsAskedOfEveryType(string type) =>
        Assert.True(ApprovalRules.IsNeeded(Target(FactsFor(type, null), Request(type)), TwoPersonPolicy.All));

    [Theory]
    [InlineData("undrain")]
    public void TwoPerson_OfWhatOnlyEndsADrain_IsNotAsked(string type) =>
        Assert.False(ApprovalRules.IsNeeded(Target(FactsFor(type, null), Request(type)), TwoPersonPolicy.All));

    private static ImmutableArray<RuleResult> Check(string type, string? wrong, params string[] overrides)
    {
        var facts = FactsFor(type, wrong);
        var request = Request(type) with
        {
            OverrideRules = type == "bulk-drain" ? [.. overrides.Where(rule => rule == "SR-13")] : [.. overrides],
            Reason = wrong == "SR-14" ? null : "kernel update",
            ExpectedRevision = wrong == "SR-04" ? 99 : null,
        };
        switch (request.Type)
        {
            case OperationType.Freeze or OperationType.Unfreeze:
                return FreezeTarget.Resolve(new FleetState(facts, FleetProjection.Project(facts, Now, 1)), request, out _)!.Preview().Rules;
            case OperationType.BulkDrain:
                return BulkTarget.Resolve(FleetProjection.Project(facts, Now, 1), request, out _)!.Preview(new OperationLimits { BulkMost = wrong == "SR-13" ? 0 : 50 }, wrong == "SR-08" ? TimeSpan.FromSeconds(1) : TimeSpan.FromHours(1)).Rules;
            default:
                var project = FleetProjection.Project(facts, Now, 1);
                var known = Known with
                {
                    InFlight = wrong == "SR-05" ? "op-1" : null,
                    Moves = wrong == "SR-06" ? [.. Enumerable.Range(1, 4).Select(n => Now.Wall.AddSeconds(-n))] : [],
                    HubUptime = wrong == "SR-08" ? TimeSpan.FromSeconds(1) : TimeSpan.FromHours(1),
                };
                return SafetyRules.Check(request.Type == OperationType.Drill ? DrillTarget.Resolve(project, request, out _)!.Value.There : Target(facts, request), known);
        }
    }

    private static OperationRequest Request(string type) => type switch
    {
        "switchover" => Switchover(),
        "failback" => new OperationRequest { Type = OperationType.Failback, Pair = "web" },
        "force-promote" => new OperationRequest { Type = OperationType.ForcePromote, Pair = "web", Target = "web-2" },
        "drain" => Drain("web-1"),
        "undrain" => new OperationRequest { Type = OperationType.Undrain, Node = "web-2" },
        "set-role" => SetRole("web-2", Role.Primary),
        "set-failback" => new OperationRequest { Type = OperationType.SetFailback, Pair = "web", Failback = Failback.Of(FailbackPolicy.Manual, TimeSpan.Zero) },
        "reset-session" => new OperationRequest { Type = OperationType.ResetSession, Node = "web-1", Neighbor = Session(1).Neighbor },
        "freeze" => new OperationRequest { Type = OperationType.Freeze, Pair = "web", ExpiresIn = TimeSpan.FromHours(1) },
        "unfreeze" => new OperationRequest { Type = OperationType.Unfreeze, Pair = "web" },
        "drill" => new OperationRequest { Type = OperationType.Drill, Pair = "web" },
        "bulk-drain" => new OperationRequest { Type = OperationType.BulkDrain, Pair = "*", DataCenter = "18", Role = Role.Secondary },
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    // A pair in which nothing stands against a request of that type but the rule that is named.
    private static FleetFacts FactsFor(string type, string? wrong)
    {
        var (one, two) = type switch
        {
            "failback" => (Node("web-1", Role.Secondary), Node("web-2", Role.Primary)),
            "force-promote" or "set-role" => (Node("web-1", wrong == "SR-02" ? Role.Primary : Role.Secondary), Node("web-2", Role.Secondary)),
            "undrain" => (Node("web-1", Role.Primary), Node("web-2", Report(View(Role.Secondary, null, WithdrawnReason.Drained)) with { Drained = true, LocallyDrained = true })),
            "reset-session" when wrong == "SR-01" => (Node("web-1", Report(View(Role.Primary, Role.Primary)) with { Sessions = [Session(1)] }), Node("web-2", Role.Secondary)),
            _ => (Node("web-1", Role.Primary), Node("web-2", Role.Secondary)),
        };
        (one, two) = (one with { Capabilities = wrong == "SR-12" ? [] : [.. Able], DataCenter = "18" }, two with { Capabilities = wrong == "SR-12" ? [] : [.. Able], DataCenter = "18" });
        var targetIsOne = type is "failback" or "drain" or "set-failback" or "reset-session";
        (one, two) = wrong switch
        {
            "SR-01" => (one, two.Gone()),
            "SR-02" when type == "force-promote" => (one.Gone(), two),
            "SR-03" => targetIsOne ? (one.Gone(), two) : (one, two.Gone()),
            "SR-08" => targetIsOne || type == "drill" ? (one, Unheard(two)) : (Unheard(one), two),
            _ => (one, two),
        };
        var facts = Facts(Pair("web-1", "web-2") with { DataCenter = "18" }, one, two);
        return wrong == "SR-07" || type == "unfreeze" ? facts with { Freezes = [new FreezeFacts("p1", Now.Wall.AddMinutes(10), "bob", "audit in progress", "op-0")] } : facts;
    }

    private static NodeFacts Unheard(NodeFacts node) => new() { Name = node.Name, LastReportAt = Now.Wall, DataCenter = node.DataCenter, Capabilities = node.Capabilities };
}
