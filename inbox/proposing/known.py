"""Names that many people have, and the short forms of given names. Pure data: enough to tell Maria from Mario."""

from __future__ import annotations

SHORT_FORMS = """
alexander alex sasha xander alec sandro aleksander alejandro
alexandra alex sasha sandra alexa lexi
abigail abby gail
albert al bert bertie alberto
alfred fred alfie alfredo
amanda mandy
andrew andy drew andreas andres andrea
angela angie
anna ann anne annie ana anita hannah hanna
anthony tony anton antonio toni
barbara barb babs
benjamin ben benny benji
bernard bernie
bradley brad
caroline carol carrie caro carolina karoline
catherine cathy kate katie kathy katherine kathryn cat kit catarina katharina kathrin katrin
charles charlie chuck chas carlos karl carl
christine chris chrissy tina christina kristina kristin
christopher chris kris topher christoph cristobal
cynthia cindy
daniel dan danny
danielle dani daniela
david dave davy davey
deborah deb debbie debra
dennis den denny
dominic dom nick
donald don donnie
dorothy dot dottie dolly
douglas doug
edward ed eddie ted ned teddy eduardo eduard
eleanor ellie nell nora ella
elizabeth liz beth betty lizzie eliza libby lisa elisabeth elsa
emily em emmy emma
eugene gene
florence flo flossie
frances fran frannie francesca
francis frank frankie francisco paco franz
frederick fred freddie rick friedrich fritz
gabriel gabe
gabriela gabby gabi
george georgie jorge jurgen
gerald gerry jerry
gregory greg
guadalupe lupe
harold harry hal
heather heath
helen nell ellen lena helena
henry harry hank hal heinrich enrique
ignacio nacho
isabel bella izzy isabella isabelle ysabel
jacob jake jakob
jacqueline jackie
james jim jimmy jamie jay jaime
jane janie jenny jean
janet jan
jeffrey jeff geoff geoffrey
jennifer jen jenny jenn
jessica jess jessie
jesus chuy
joan joanie joanna jo joanne
john johnny jack jon juan johann hans ivan johannes jan
jonathan jon jonny nathan
joseph joe joey jose josef pepe
joshua josh
judith judy
julia julie jules juliet julieta
julian jules
kenneth ken kenny
kimberly kim
laura laurie lori
lawrence larry lars lorenzo
leonard leo len lenny leonardo
lillian lily lil
louis lou lewis luis ludwig
louise lou lulu luisa
lucas luke luca lukas
lucy lu lucia
madeline maddie maddy madeleine
manuel manolo
margaret maggie meg peggy greta rita marge margarita margarete gretel daisy
maria mary marie mia mariana maryam molly polly miriam
mark marc marcus marco marcos markus
martha marty marta
martin marty martino
matthew matt matty matteo mateo matthias
melissa mel missy
michael mike mick mickey mikey miguel mikhail michel
michelle shelly
mohammed mohammad muhammad mohamed mo
nancy nan
natalie nat natalia natasha tasha
nathaniel nate nat nathan
nicholas nick nicky nico nicolas niklas klaus
nicole nicky nikki nic
oliver ollie oli
olivia liv livvy
pamela pam
patricia pat patty tricia trish
patrick pat paddy patricio
paul pablo paolo paulo
paula pauline paulina
penelope penny
peter pete pedro piotr pieter
philip phil felipe phillip pip
rachel rach raquel
raymond ray ramon
rebecca becky becca
richard rick dick rich ricky ricardo
robert rob bob bobby robbie roberto bert
roger rog
ronald ron ronnie
rosemary rose rosie
rudolph rudy rudi rodolfo
russell russ
ruth ruthie
samantha sam sammy
samuel sam sammy
sarah sally sara sadie
sebastian seb bastian basti
sharon shari
sophia sophie sofia sofie
stephanie steph stefanie
stephen steve steven stefan esteban stevie
susan sue susie suzanne suzie susanne
sylvia sylvie silvia
teresa terry tess tessa theresa tracy
terence terry
theodore ted theo teddy
thomas tom tommy tomas
timothy tim timmy
valerie val
victoria vicky tori
vincent vince vinny vicente
virginia ginny
walter walt wally
wilhelm willi willy
william will bill billy willy liam guillermo
zachary zach zack
"""

GIVEN = """
aaron adam adrian agnes ahmed aisha alan alba alice alicia alina alison amelia amir amy andre andrea angel arthur
ashley austin barry beatrice bella betty bianca blake brandon brenda brian bridget bruce bruno camila carla carmen
cecilia chloe claire clara claudia connor craig cristina dana dean denise derek diana diego dirk dmitri dylan eileen
elaine elena elias elise ella ellen emil eric erica erik erika erin ernest ernesto esther ethan eva evan evelyn fatima
felix fernando fiona frank gary gavin gemma gina gloria grace graham grant guy harper hassan hazel hector hugo ian
ibrahim igor imran irene iris isaac ivan jack jade jan jason javier jay jean jenna jerome jill joan jordan jorge
josefina joy juan judy justin karen karim keith kelly kevin kim kyle lara lars lauren leah lee leila leo leon leonie
leroy leslie linda lisa logan lola lorena lorraine louis luca lucas lucia luis luna lydia lynn maja malik manuel
marcel marco marcus mariam marina mario marion marlene marvin mason matilda maurice max maya megan mei melanie mia
mila miles mina mira miranda mohan mona monica morgan nadia naomi nathan neil nia nina noah noel nora norman oleg olga
omar oscar otto owen pablo paul paula pedro perry petra phoebe pia pierre priya quentin rafael rahul ralph ramona
randy raul ravi regina rene rita robin rocio rosa ross roy ruben ruby ryan sabine salma salvador sandra santiago scott
sean selena sergio shane shannon sheila simon simone sonia sonja stella stuart summer tamara tania tanya tara tariq
theresa tina todd travis trevor troy uwe valentina vanessa vera veronica viktor violet wanda warren wayne wendy willow
wolfgang xavier yasmin yolanda yusuf yvonne zara zoe
"""

SURNAMES = """
adams allen alvarez anderson bailey baker becker bell bennett brooks brown campbell carter castillo chavez chen clark
cohen collins cook cooper cox cruz davies davis diaz edwards evans fernandez fischer flores foster garcia gomez
gonzales gonzalez gray green gutierrez hall harris hernandez hill hoffmann howard hughes jackson james jenkins johnson
jones kelly khan kim king klein koch lee lewis li lopez martin martinez mendoza meyer miller mitchell moore morales
moreno morgan morris muller mueller murphy myers nelson nguyen ortiz parker patel perez peterson phillips powell price
ramirez ramos reed reyes reynolds richardson richter rivera roberts robinson rodriguez rogers romero ross ruiz russell
sanchez sanders schmidt schneider schroeder schulz scott silva simmons singh smith stewart sullivan taylor thomas
thompson torres turner vargas wagner walker wang ward watson weber white williams wilson wolf wood wright yang young
zhang zimmermann
"""


def _groups() -> dict[str, frozenset[str]]:
    """A short form may stand for several names: Alex is Alexander or Alexandra."""
    found: dict[str, set[str]] = {}
    for line in SHORT_FORMS.strip().splitlines():
        first = line.split()[0]
        for each in line.split():
            found.setdefault(each, set()).add(first)
    return {each: frozenset(firsts) for each, firsts in found.items()}


STANDS_FOR = _groups()
GIVEN_NAMES = frozenset(GIVEN.split()) | STANDS_FOR.keys()
COMMON_SURNAMES = frozenset(SURNAMES.split())
