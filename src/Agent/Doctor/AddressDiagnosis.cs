using FailoverHub.Agent.Addresses;

namespace FailoverHub.Agent.Doctor;

/// <summary>The shared addresses on this machine.</summary>
internal static class AddressDiagnosis
{
    private const string Check = "address";

    public static IEnumerable<Finding> OnInterface(DoctorFacts facts)
    {
        if (facts.Addresses is null)
        {
            yield return Finding.Unknown(Check, "the kernel does not say which addresses the interfaces have");
        }
        else if (facts.Prefixes.IsEmpty)
        {
            yield return Finding.Failed(
                Check,
                $"no shared address is on {(facts.Options.AllInterfaces ? "any interface" : "the loopback interface")}, and none is named",
                "Name it to learn the lines that add it: doctor --announce ADDRESS. On another interface than loopback it is found with --allifs.");
        }
        else
        {
            foreach (var prefix in facts.Prefixes)
            {
                yield return OnInterface(facts, prefix);
            }
        }
    }

    public static IEnumerable<Finding> Permanent(DoctorFacts facts)
    {
        if (facts.Options.Addresses.Mode == AddressMode.Managed)
        {
            return [Finding.NotApplicable("permanent", "the agent adds the addresses itself")];
        }

        return facts.Prefixes.Select(prefix => prefix.Files.IsEmpty
            ? Finding.Unknown("permanent", $"{prefix.Prefix} is in none of the known network files", "After a restart of the machine it may be gone: the lines below make it permanent.")
            : Finding.Passed("permanent", $"{prefix.Prefix} is in {string.Join(", ", prefix.Files)}"));
    }

    private static Finding OnInterface(DoctorFacts facts, PrefixFact prefix)
    {
        var devices = string.Join(", ", prefix.Interfaces);
        if (prefix.OnLoopback || (!prefix.Interfaces.IsEmpty && (facts.Options.AllInterfaces || prefix.SeenByAgent)))
        {
            return Finding.Passed(Check, $"{prefix.Prefix} is on {devices}");
        }

        if (!prefix.Interfaces.IsEmpty)
        {
            return Finding.Failed(Check, $"{prefix.Prefix} is on {devices}, and the agent looks on loopback only", "Run it with --allifs, or move the address to lo.");
        }

        return facts.Options.Addresses.Mode == AddressMode.Managed
            ? facts.Status is null
                ? Finding.Unknown(Check, $"{prefix.Prefix} is on no interface; the agent adds it when it starts")
                : Finding.Failed(Check, $"{prefix.Prefix} is on no interface, though the agent is to add it", "Look at its log, and at address-rights below.")
            : Finding.Failed(
                Check,
                facts.Options.Announce.Any(announced => announced.Prefix.Equals(prefix.Prefix))
                    ? $"{prefix.Prefix} is on no interface: it is announced because --announce says so, but this machine does not answer for it"
                    : $"{prefix.Prefix} is on no interface, so it is not announced",
                $"Add it: ip addr add {SharedAddress.Of(prefix.Prefix)} dev lo; the lines below make it permanent. Or let the agent add it: --addresses managed");
    }
}
