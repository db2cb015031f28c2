using System.Net;
using FailoverHub.Agent.Addresses;
using FailoverHub.Agent.Addresses.Permanent;

namespace FailoverHub.Agent.Doctor;

/// <summary>What makes the shared addresses permanent on this distribution, and what became of writing it.</summary>
/// <param name="Kind">What sets up the interfaces.</param>
/// <param name="Lines">Null: nobody knows how.</param>
/// <param name="Hindrance">Why the file would not be read; null: nothing is known against it.</param>
/// <param name="Outcome">Null: it was not to be written.</param>
internal sealed record PermanentPart(PermanentKind Kind, PermanentAddress? Lines, string? Hindrance, PermanentOutcome? Outcome)
{
    /// <summary>Whether an agent has put into its journal what was written; null: nothing was written.</summary>
    public bool? IsInHistory { get; init; }

    /// <summary>For what no other file of the machine names; null: nothing is left to do.</summary>
    /// <param name="facts">What was gathered.</param>
    /// <param name="root">Where the file system of the machine begins: <c>/</c>.</param>
    /// <param name="write">It is to be written.</param>
    public static PermanentPart? Of(DoctorFacts facts, string root, bool write)
    {
        var kind = PermanentAddress.Find(root);
        var own = PermanentAddress.For(kind, [new IPNetwork(IPAddress.Parse("192.0.2.1"), 32)])?.Path;
        var missing = facts.Prefixes.Where(prefix => prefix.Files.All(file => file == own)).ToList();
        if (facts.Options.Addresses.Mode == AddressMode.Managed || missing.All(prefix => !prefix.Files.IsEmpty))
        {
            return null;
        }

        var lines = PermanentAddress.For(kind, missing.Select(prefix => prefix.Prefix));
        return new PermanentPart(kind, lines, PermanentAddress.Hindrance(root, kind), write && lines is not null ? PermanentFile.Write(root, lines) : null);
    }
}
